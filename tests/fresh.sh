#!/usr/bin/env bash
# Proves the set-up: makes a minimal Debian root with debootstrap, copies the tree in, and runs the README's
# two commands there. Needs root, some GB of disk and several minutes; not part of CI.
#
#   bash tests/fresh.sh [FOLDER]      default: a temporary folder, removed at the end
#   RELEASE=trixie                    another release than Debian 12, bookworm: the quick start and the unit tests
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $EUID -eq 0 ]] || { echo "fresh.sh: debootstrap and chroot need root" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get -qq install -y --no-install-recommends debootstrap
release=${RELEASE:-bookworm}
root=${1:-$(mktemp -d)}
chmod 755 "$root" # apt downloads as a user of its own
cleanup() {
  for mount in dev/shm dev sys proc; do mountpoint -q "$root/$mount" && umount -R "$root/$mount"; done
  [[ $# -gt 0 ]] || rm -rf --one-file-system "$root"
}
trap 'cleanup "$@"' EXIT

# The mirror that this machine's apt uses for bookworm.
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
  awk '$2 == "bookworm" {print $1; exit}')
[[ -n "$mirror" ]] || { echo "fresh.sh: this machine's apt names no bookworm mirror" >&2; exit 1; }

debootstrap --variant=minbase "$release" "$root" "$mirror"
grep -hiE '^ *Acquire::' /etc/apt/apt.conf.d/* >"$root/etc/apt/apt.conf.d/99host" || true # proxies, certificates
cp /etc/resolv.conf /etc/hosts "$root/etc/"
[[ ! -d /usr/local/share/ca-certificates ]] || cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"

mkdir -p "$root/root/lockstep"
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -C "$root/root/lockstep" -xf -
inside() {
  chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 bash -c "cd /root/lockstep && $1"
}
inside 'bash jobs/quickstart.sh train.epochs=2'
if [[ $release == bookworm ]]; then inside 'bash tests/run.sh'; else inside 'bash tests/run.sh -L unit'; fi
started=$(find "$root"/etc/systemd/system "$root"/etc/rc[2-5].d -name 'S*munge*' -o -name 'S*slurm*' -o -path '*.wants/munge*' \
  -o -path '*.wants/slurm*' 2>/dev/null || true)
[[ -z "$started" ]] || { echo "fresh.sh: the tests have enabled services: $started" >&2; exit 1; }
echo "fresh.sh: both commands work on a minimal Debian, $release"
