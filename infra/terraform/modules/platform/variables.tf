variable "python" {
  description = "The Python with Ferryman's packages."
  type        = string
}

variable "kubeconfig" {
  description = "The file by which kubectl finds the cluster."
  type        = string
}

variable "images" {
  description = "The JSON file that gives each image its reference."
  type        = string
}

variable "domain" {
  description = "Tenants answer to <tenant>.<domain>."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain: a domain name in lower case, like models.example.org."
  }
}
