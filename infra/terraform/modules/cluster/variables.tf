variable "python" {
  description = "The Python with Ferryman's packages."
  type        = string
}
