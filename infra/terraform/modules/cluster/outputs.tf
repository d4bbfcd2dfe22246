output "kubeconfig" {
  description = "The file by which kubectl finds the cluster."
  value       = local.kubeconfig
  depends_on  = [terraform_data.this]
}

output "images" {
  description = "The file that gives each image its reference, ours by the digest that was pushed."
  value       = "${local.home}/kind-images.json"
  depends_on  = [terraform_data.this]
}
