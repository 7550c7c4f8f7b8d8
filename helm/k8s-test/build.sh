#!/bin/sh
# Build what the charts are installed on: etcd, kube-apiserver and kube-controller-manager, from their Go modules.
# About ten minutes of two processor cores at the first call (K8S_BUILD_JOBS bounds them); nothing afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:?usage: build.sh FOLDER}
mkdir -p "$target"
target=$(cd "$target" && pwd)
version=1.37.2
minor=${version#*.}
stamp="-X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"

build() { # NAME PACKAGE; the version is stamped in: a chart's kubeVersion refuses a server that does not know its own
	wanted="$version $(cat "$here/control-plane/go.sum" | cksum)"
	[ -x "$target/$1" ] && [ "$(cat "$target/$1.version" 2>/dev/null)" = "$wanted" ] && return
	echo "k8s-test: building $1 (once)"
	(cd "$here/control-plane" && GOFLAGS="-mod=readonly -p=${K8S_BUILD_JOBS:-$(nproc)}" CGO_ENABLED=0 nice -n 15 \
		go build -trimpath -ldflags="-s -w $stamp" -o "$target/$1.part" "$2")
	mv "$target/$1.part" "$target/$1"
	echo "$wanted" >"$target/$1.version"
}

command -v go >/dev/null || { echo "k8s-test: no Go compiler; install Go 1.26 or newer to install the charts on an API server." >&2; exit 3; }
build etcd go.etcd.io/etcd/server/v3
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
