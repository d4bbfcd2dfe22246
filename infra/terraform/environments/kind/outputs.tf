output "kubeconfig" {
  description = "For KUBECONFIG."
  value       = module.cluster.kubeconfig
}

output "hosts" {
  description = "What tenants answer to."
  value       = "*.${module.platform.domain}"
}
