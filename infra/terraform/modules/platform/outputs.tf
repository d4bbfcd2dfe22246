output "domain" {
  description = "Tenants answer to <tenant>.<domain>, once this is there."
  value       = var.domain
  depends_on  = [terraform_data.this]
}
