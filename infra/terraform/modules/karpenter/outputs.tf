output "queue" {
  description = "The queue that Karpenter hears of interruptions from: its setting interruptionQueue."
  value       = aws_sqs_queue.this.name
}

output "manifests" {
  description = "Node class and pools, one YAML document each, for kubectl apply once Karpenter runs."
  value       = join("", [for each in concat([local.node_class, local.general], var.gpu_limit > 0 ? [local.gpu] : []) : "---\n${yamlencode(each)}"])
}
