variable "name" {
  description = "The EKS cluster's name; queue and roles are named after it."
  type        = string
}

variable "cluster_arn" {
  description = "The EKS cluster's ARN."
  type        = string
}

variable "node_role" {
  description = "The IAM role that nodes run under."
  type        = object({ name = string, arn = string })
}

variable "subnets" {
  description = "Where nodes start."
  type        = list(string)
}

variable "security_group" {
  description = "The cluster's security group."
  type        = string
}

variable "tags" {
  description = "Tags of the machines that Karpenter starts."
  type        = map(string)
}

variable "cpu_limit" {
  description = "CPUs that all nodes for tenants may have together: the bill's upper bound."
  type        = number

  validation {
    condition     = var.cpu_limit >= 2
    error_message = "cpu_limit: two CPUs at least; the smallest node has as many."
  }
}

variable "gpu_limit" {
  description = "GPUs that may run at once. 0: there is no pool of GPU nodes."
  type        = number

  validation {
    condition     = var.gpu_limit >= 0 && floor(var.gpu_limit) == var.gpu_limit
    error_message = "gpu_limit: a whole number, 0 for none."
  }
}
