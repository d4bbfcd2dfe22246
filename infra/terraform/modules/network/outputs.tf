output "s3_cidrs" {
  description = "The addresses at which S3 answers in this region; what goes there goes through the endpoint."
  value       = aws_vpc_endpoint.s3.cidr_blocks
}

output "private_subnets" {
  description = "Where nodes and the cluster's network interfaces stand."
  # Not before they have a way out: a node that cannot reach the API server never joins.
  value      = [for subnet in aws_subnet.private : subnet.id]
  depends_on = [aws_route.private, aws_route_table_association.private]
}
