#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes a bare Debian 12 or 13 machine ready: packages, pinned sources, Python environment.
#
#   tools/setup/setup.sh [demo|test|sifive_u]...     (default: $SETUP, else demo)
#
# demo is what building, flashing, running and serving needs; test adds the test tools; sifive_u
# adds the emulated board. Packages come from the machine's own apt, sources and Python packages go
# to ${AIRLIFT_CACHE:-~/.cache/airlift}. What is there already is left alone: a second run does
# nothing and needs no network. Files are renamed into place only when whole and verified, so an
# interrupted run does no harm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${AIRLIFT_CACHE:-$HOME/.cache/airlift}
purposes=" demo "
did_something=no

say() {
    did_something=yes
    printf 'setup: %s\n' "$*"
}

fail() {
    printf 'setup: error: %s\n' "$1" >&2
    shift
    for line in "$@"; do
        printf '    %s\n' "$line" >&2
    done
    exit 1
}

words=("$@")
if [ ${#words[@]} = 0 ]; then
    read -ra words <<< "${SETUP:-demo}"
fi
for word in "${words[@]}"; do
    case $word in
        demo) ;;
        test | sifive_u) purposes+="$word " ;;
        *) fail "'$word' is not something to set up; there are: demo, test, sifive_u" ;;
    esac
done

wanted() {
    [[ $purposes == *" $1 "* ]]
}

# --- packages ---

is_there() {
    local kind=${1%%:*} what=${1#*:}
    case $kind in
        cmd) PATH=$PATH:/usr/sbin:/sbin command -v "$what" > /dev/null ;;
        file) compgen -G "$what" > /dev/null ;;
        py) python3 -c "import ${what}" > /dev/null 2>&1 ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -E "$@"
    fi
}

# Of "a|b" the first that apt knows.
known_package() {
    local name
    for name in ${1//|/ }; do
        if apt-cache show "$name" > /dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
    done
    printf '%s\n' "${1%%|*}"
}

install_packages() {
    local purpose test package missing=() names=()
    while read -r purpose test package; do
        if [[ $purpose != "#"* && -n $package ]] && wanted "$purpose" && ! is_there "$test"; then
            missing+=("$package")
        fi
    done < "$here/packages.txt"
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    command -v apt-get > /dev/null ||
        fail "these packages are missing, and there is no apt-get to install them:" "${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
        fail "these packages are missing: ${missing[*]}" \
            "Run 'make setup' as root or with sudo, or have them installed."
    fi
    say "installing packages: ${missing[*]}"
    as_root apt-get -qq update ||
        fail "apt-get update failed" "Is the network there? See the messages above."
    for package in "${missing[@]}"; do
        names+=("$(known_package "$package")")
    done
    # A server that comes as a test tool must not start as a service.
    local policy=/usr/sbin/policy-rc.d own_policy=no
    if [[ " ${names[*]} " == *" nginx-light "* && ! -e $policy ]]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
        as_root chmod +x "$policy"
        # shellcheck disable=SC2064
        trap "as_root rm -f $policy; cleanup" EXIT
    fi
    local status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install "${names[@]}" > "$work/apt.log" 2>&1 || status=$?
    if [ $own_policy = yes ]; then
        as_root rm -f "$policy"
        trap cleanup EXIT
        if command -v systemctl > /dev/null; then
            as_root systemctl -q disable nginx > /dev/null 2>&1 || true
        fi
    fi
    if [ $status != 0 ]; then
        tail -n 20 "$work/apt.log" >&2
        fail "apt-get install failed: ${names[*]}" "The last lines of what it said are above."
    fi
}

# --- sources ---

sha256_of() {
    sha256sum "$1" | cut -d ' ' -f 1
}

# Mirror and keyring of this machine's own Debian, as "MIRROR KEYRING" (keyring may be empty).
debian_mirror() {
    local codename mirror entry keyring=
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    read -r mirror entry < <(
        apt-get indextargets --no-release-info --format '$(REPO_URI) $(SOURCESENTRY) $(RELEASE)' \
            'Created-By: Packages' 'Component: main' |
            awk -v release="$codename" '
                $3 == release && !mirror { mirror = $1 " " $2 }
                $1 ~ /\/debian\/?$/ && !other { other = $1 " " $2 }
                END { print mirror ? mirror : other }'
    ) || true
    if [ -z "$mirror" ]; then
        return 1
    fi
    entry=${entry%:*}
    if [ -r "$entry" ]; then
        # deb822: a field of the stanza; one-line style: an option in brackets.
        keyring=$(awk -v uri="${mirror%/}" -v RS= '
            index($0, uri) && match($0, /(^|\n)Signed-By:[ \t]*\/[^\n]*/) {
                text = substr($0, RSTART, RLENGTH); sub(/^\n?Signed-By:[ \t]*/, "", text)
                print text; exit }
            index($0, uri) && match($0, /signed-by=[^] \n]*/) {
                print substr($0, RSTART + 10, RLENGTH - 10); exit }' "$entry")
    fi
    printf '%s %s\n' "$mirror" "$keyring"
}

# Runs apt-get with lists, cache and sources of its own: the suite that has the pinned versions.
own_apt() {
    apt-get -qq -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none \
        -o Acquire::IndexTargets::deb-src::Sources::DefaultEnabled=true "$@"
}

prepare_apt() {
    if [ -e "$work/apt/ready" ]; then
        return
    fi
    local mirror keyring options=
    read -r mirror keyring < <(debian_mirror) || return 1
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    if [ -n "$keyring" ]; then
        options="[signed-by=$keyring] "
    fi
    printf 'deb-src %s%s trixie main\n' "$options" "$mirror" > "$work/apt/sources.list"
    own_apt update > "$work/apt/log" 2>&1 || return 1
    touch "$work/apt/ready"
}

# Debian's source package, tarball only.
fetch_from_debian() {
    local name=$1 file=$2
    prepare_apt || return 1
    # Only if the suite still has this very file.
    own_apt source --print-uris --tar-only "$name" 2> /dev/null | sed 's/%2[bB]/+/g' |
        grep -qF "/$file'" || return 1
    mkdir -p "$work/download"
    (cd "$work/download" && own_apt source --download-only --tar-only "$name") \
        > "$work/apt/log" 2>&1
    [ -f "$work/download/$file" ]
}

# The upstream project's own release.
fetch_from_upstream() {
    local file=$1 url=$2
    [ "$url" != - ] && [ -x /usr/lib/apt/apt-helper ] || return 1
    mkdir -p "$work/download"
    /usr/lib/apt/apt-helper download-file "$url" "$work/download/$file" > "$work/upstream.log" 2>&1
}

# Unpacks the verified tarball and moves it into place, stamped with its hash.
unpack() {
    local tarball=$1 dir=$2 sum=$3 old
    rm -rf "$work/unpack"
    mkdir -p "$work/unpack"
    tar -xf "$tarball" -C "$work/unpack" --strip-components=1 --no-same-owner ||
        fail "$tarball cannot be unpacked"
    printf '%s\n' "$sum" > "$work/unpack/.airlift-sha256"
    mkdir -p "$(dirname "$dir")"
    if [ -e "$dir" ]; then
        old=$work/old.$RANDOM
        mv "$dir" "$old"
    fi
    mv "$work/unpack" "$dir"
}

get_sources() {
    local name version file sum purpose url dir override
    while read -r name version file sum purpose url; do
        if [[ $name == "#"* || -z $name ]] || ! wanted "$purpose"; then
            continue
        fi
        override=AIRLIFT_$(tr 'a-z-' 'A-Z_' <<< "$name")_DIR
        if [ -n "${!override:-}" ]; then
            [ -d "${!override}" ] || fail "$override names ${!override}, which is not a folder"
            continue
        fi
        dir=$cache/src/$name-$version
        if [ -f "$dir/.airlift-sha256" ] && [ "$(< "$dir/.airlift-sha256")" = "$sum" ]; then
            continue
        fi
        if [ ! -f "$cache/download/$file" ] || [ "$(sha256_of "$cache/download/$file")" != "$sum" ]; then
            say "fetching the sources of $name $version"
            local found=no place
            for place in debian upstream; do
                rm -f "$work/download/$file"
                case $place in
                    debian) fetch_from_debian "$name" "$file" || continue ;;
                    upstream) fetch_from_upstream "$file" "$url" || continue ;;
                esac
                if [ "$(sha256_of "$work/download/$file")" = "$sum" ]; then
                    found=yes
                    break
                fi
                say "$file from $place has another SHA-256 than the one pinned; not used"
            done
            if [ $found = no ]; then
                [ ! -s "$work/apt/log" ] || tail -n 5 "$work/apt/log" >&2
                fail "the sources of $name $version could not be fetched" \
                    "Tried: Debian's source package (suite trixie, this machine's mirror)$([ "$url" = - ] || printf ' and %s' "$url")." \
                    "You can put $file into $cache/download," \
                    "or unpack $name $version anywhere and set $override to that folder."
            fi
            mkdir -p "$cache/download"
            mv "$work/download/$file" "$cache/download/$file"
        fi
        unpack "$cache/download/$file" "$dir" "$sum"
        say "$name $version verified and unpacked"
    done < "$here/sources.lock"
}

# --- Python ---

# pip_install PYTHON ARGUMENTS...
pip_install() {
    local python=$1
    shift
    "$python" -m pip --disable-pip-version-check --quiet --no-input install "$@" \
        > "$work/pip.log" 2>&1 || {
        tail -n 20 "$work/pip.log" >&2
        fail "pip could not install the Python packages" "The last lines of what it said are above."
    }
}

make_python() {
    local key dir test_key next
    key=$({
        cat "$here/requirements.txt"
        python3 -c 'import sys; print(sys.version, sys.executable)'
    } | sha256sum | cut -c 1-16)
    dir=$cache/venvs/$key
    if [ ! -f "$dir/.complete" ]; then
        say "making the Python environment"
        rm -rf "$dir"
        mkdir -p "$cache/venvs"
        python3 -m venv "$dir" > "$work/venv.log" 2>&1 || {
            tail -n 5 "$work/venv.log" >&2
            fail "python3 -m venv failed" "On Debian the package python3-venv brings it."
        }
        pip_install "$dir/bin/python" --require-hashes --only-binary :all: \
            -r "$here/requirements.txt"
        touch "$dir/.complete"
    fi
    if wanted test; then
        test_key=$(sha256sum < "$here/requirements-test.txt" | cut -c 1-16)
        if [ ! -f "$dir/.complete-test-$test_key" ]; then
            say "adding pytest and the test oracles to it"
            pip_install "$dir/bin/python" -r "$here/requirements-test.txt"
            touch "$dir/.complete-test-$test_key"
        fi
    fi
    if [ "$(readlink "$cache/venv" || true)" != "venvs/$key" ]; then
        next=$work/venv.link
        ln -s "venvs/$key" "$next"
        # A folder of that name would swallow the link.
        if [ -d "$cache/venv" ] && [ ! -L "$cache/venv" ]; then
            rm -rf "$cache/venv"
        fi
        mv -T "$next" "$cache/venv"
    fi
}

# --- ---

cleanup() {
    rm -rf "$work"
}

mkdir -p "$cache" || fail "$cache cannot be made" "Set AIRLIFT_CACHE to a folder of yours."
exec 9> "$cache/.setup.lock"
if ! flock -n 9; then
    say "waiting for another setup to end"
    flock 9
fi
work=$(mktemp -d "$cache/setup.XXXXXX")
trap cleanup EXIT
trap 'exit 130' INT TERM

install_packages
get_sources
make_python
if [ $did_something = no ]; then
    printf 'setup: everything is there (%s)\n' "${purposes:1:-1}"
else
    printf 'setup: done (%s)\n' "${purposes:1:-1}"
fi
