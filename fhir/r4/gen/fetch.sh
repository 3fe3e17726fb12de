# Fetches the npm package $1, pinned by its version, into the folder $2, unless it is there already.
set -e
mkdir -p "$2"
cd "$2"
[ "$(cat version 2>/dev/null)" != "$1" ] || exit 0
rm -rf package
archive=$(npm pack --silent "$1")
tar -xzf "$archive"
rm "$archive"
echo "$1" >version
