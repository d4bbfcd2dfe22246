output "cluster" {
  description = "The cluster's name."
  value       = module.eks.name
}

output "bucket" {
  description = "The bucket for models: `python -m infra.platform install --s3`."
  value       = module.storage.bucket
}

output "manifests" {
  description = "For kubectl apply, once Karpenter runs: the default storage class, the node class and the pools."
  value       = "---\n${yamlencode(local.storage_class)}${module.karpenter.manifests}"
}

output "next" {
  description = "The commands that bring Ferryman into the cluster, in this order."
  value       = local.next
}
