# Fetches the npm package $1, pinned by its version and its SHA-256 $2, into the folder $3, unless it is there already.
set -e
mkdir -p "$3"
cd "$3"
[ "$(cat version 2>/dev/null)" != "$1 $2" ] || exit 0
rm -rf package
archive=$(npm pack --silent "$1")
echo "$2  $archive" | sha256sum --check --quiet
tar -xzf "$archive"
rm "$archive"
echo "$1 $2" >version
