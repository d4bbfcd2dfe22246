variable "name" {
  description = "The cluster's name."
  type        = string
}

variable "kubernetes_version" {
  description = "Kubernetes' minor version."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version)) && tonumber(split(".", var.kubernetes_version)[1]) >= 30
    error_message = "kubernetes_version: like \"1.35\", 1.30 at least: Ferryman's admission policies need it."
  }
}

variable "subnets" {
  description = "Private subnets for nodes, in two zones at least."
  type        = list(string)
}

variable "api_cidrs" {
  description = "Who reaches the API server from outside of the VPC. Empty: nobody."
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.api_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "api_cidrs: IPv4 blocks, and not the whole internet: [\"203.0.113.7/32\"]."
  }
}

variable "admins" {
  description = "IAM roles or users with every right in the cluster."
  type        = list(string)

  validation {
    condition     = length(var.admins) > 0 && alltrue([for arn in var.admins : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+", arn))])
    error_message = "admins: one IAM role's or user's ARN at least. Without, nobody could use the cluster, not even who made it."
  }
}

variable "node_type" {
  description = "The instance type of the nodes that are always there: platform and controllers run on them."
  type        = string
}
