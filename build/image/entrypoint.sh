#!/bin/sh
# What the image runs. Without a word, or with `serve` alone: a registry with the configuration that is there. A lone
# configuration file: a registry with that one. A program of the image: that program. Anything else goes to `registry`.
set -e

# The first of the peers' two places that has a file. The last one where none has, which is then missed by its name.
configuration() {
  for file in /etc/distribution/config.yml /etc/docker/registry/config.yml; do
    [ ! -e "$file" ] || break
  done
  echo "${REGISTRY_CONFIGURATION_PATH:-$file}"
}

case "$*" in
  "" | serve) set -- serve "$(configuration)" ;;
esac

case "$1" in
  *.yml | *.yaml) set -- registry serve "$@" ;;
  *) [ -x "$(command -v -- "$1")" ] || set -- registry "$@" ;;
esac

exec "$@"
