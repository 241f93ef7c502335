# docker buildx bake -f docker/bake.hcl [--set '*.output=type=registry']: one manifest for both machines, with SBOM and provenance.
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "unknown" }
variable "REPOSITORY" { default = "coppice" }
# docker.io/library/debian:trixie-slim@sha256:... for a release
variable "BASE" { default = "docker.io/library/debian:trixie-slim" }

group "default" { targets = ["coppice"] }

target "coppice" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args       = { VERSION = VERSION, REVISION = REVISION, BASE = BASE }
  attest     = ["type=sbom", "type=provenance,mode=max"]
  tags = [
    "${REPOSITORY}:${VERSION}",
    "${REPOSITORY}:${join(".", slice(split(".", VERSION), 0, 2))}",
    "${REPOSITORY}:${split(".", VERSION)[0]}",
  ]
}
