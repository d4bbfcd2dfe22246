variable "domain" {
  description = "Tenants answer to <tenant>.<domain>."
  type        = string
  default     = "example.com"
}
