# Installs the Debian packages that are named and not there yet. Says what it installs and asks nothing; on another
# system it prints the list and ends with 2.
missing=
for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed'; then
        missing="$missing $package"
    fi
done
[ -z "$missing" ] && exit 0
if [ ! -f /etc/debian_version ] || ! command -v apt-get >/dev/null; then
    echo "phase2sim needs what Debian calls: $*" >&2
    echo "This is not a Debian system: please install these by its own means, then use 'make all' and 'make check'." >&2
    exit 2
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
    sudo=sudo
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
