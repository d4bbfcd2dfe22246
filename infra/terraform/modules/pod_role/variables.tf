variable "name" {
  description = "The role's name."
  type        = string

  validation {
    condition     = length(var.name) <= 64
    error_message = "name: IAM takes 64 characters; choose a shorter name for the cluster or the tenant."
  }
}

variable "cluster" {
  description = "The EKS cluster's name."
  type        = string
}

variable "namespace" {
  description = "The namespace of the service account."
  type        = string
}

variable "service_account" {
  description = "Who gets the role."
  type        = string
}

variable "policy" {
  description = "What the role may, as JSON."
  type        = string
  default     = null
}

variable "managed_policy" {
  description = "The ARN of a policy of AWS, instead of `policy`."
  type        = string
  default     = null
}
