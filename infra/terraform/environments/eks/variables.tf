variable "region" {
  description = "The AWS region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: like eu-central-1."
  }
}

variable "name" {
  description = "What everything is named after: cluster, roles, queue, network."
  type        = string
  default     = "ferryman"

  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{0,18}[a-z0-9]$", var.name))
    error_message = "name: 2 to 20 of a-z, 0-9 and -, a letter first."
  }
}

variable "admins" {
  description = "ARNs of the IAM roles or users with every right in the cluster."
  type        = list(string)
}

variable "api_cidrs" {
  description = "Who reaches the API server from outside of the VPC. Empty: nobody; come by VPN or from a machine inside."
  type        = list(string)
  default     = []
}

variable "tenants" {
  description = "Each tenant's namespace, and the models whose published artifacts it may read."
  type        = map(list(string))
  default     = { tenant-a = ["sentiment"], tenant-b = ["sentiment"] }
}

variable "bucket" {
  description = "The bucket for models. Null: <name>-<account>-<region>."
  type        = string
  default     = null
}

variable "kubernetes_version" {
  description = "Kubernetes' minor version."
  type        = string
  default     = "1.35"
}

variable "vpc_cidr" {
  description = "The VPC's addresses, unlike those of networks that you will connect."
  type        = string
  default     = "10.0.0.0/16"
}

variable "nat_per_zone" {
  description = "A NAT gateway in each of the three zones instead of one: three times its price, and no zone depends on another."
  type        = bool
  default     = false
}

variable "node_type" {
  description = "The instance type of the three nodes that are always there."
  type        = string
  default     = "m7i.large"
}

variable "cpu_limit" {
  description = "CPUs that Karpenter may start for tenants, all together."
  type        = number
  default     = 32
}

variable "gpu_limit" {
  description = "GPUs that Karpenter may start. 0: there is no pool of GPU nodes."
  type        = number
  default     = 0
}

variable "tags" {
  description = "More tags for everything."
  type        = map(string)
  default     = {}
}
