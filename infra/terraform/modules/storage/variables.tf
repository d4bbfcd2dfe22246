variable "name" {
  description = "What roles and key are named after."
  type        = string
}

variable "bucket" {
  description = "The bucket's name, unlike every other in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket: 3 to 63 of a-z, 0-9 and -, no dots: TLS to a name with dots fails."
  }
}

variable "cluster" {
  description = "The EKS cluster whose pods read and write here."
  type        = string
}

variable "tenants" {
  description = "Each tenant's namespace, and the models whose published artifacts it may read."
  type        = map(list(string))

  validation {
    condition     = alltrue([for name, models in var.tenants : can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", name)) && length(models) > 0])
    error_message = "tenants: {\"tenant-a\" = [\"sentiment\"]}: a namespace of at most 40 characters, and one model at least."
  }

  validation {
    condition     = alltrue([for model in flatten(values(var.tenants)) : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", model))])
    error_message = "tenants: a model's name is letters, digits, dot, _ and -; a * would open every model."
  }
}
