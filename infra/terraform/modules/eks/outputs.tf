output "name" {
  description = "The cluster, once its nodes are there."
  value       = aws_eks_cluster.this.name
  depends_on  = [aws_eks_node_group.system]
}

output "arn" {
  description = "The cluster's ARN."
  value       = aws_eks_cluster.this.arn
}

output "endpoint" {
  description = "The API server."
  value       = aws_eks_cluster.this.endpoint
}

output "security_group" {
  description = "The group that nodes and control plane share."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "node_role" {
  description = "Every node's IAM role: name and ARN."
  value       = { name = aws_iam_role.node.name, arn = aws_iam_role.node.arn }
}
