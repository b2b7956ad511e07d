#!/bin/sh
# embed.sh FOLDER OUTPUT: writes a Swift source with the page's parts: body.html, style.css, and all scripts in the order of
# their names.
set -eu
folder=$1
output=$2
part() {
    printf '    static let %s: StaticString = ##"""\n' "$1"
    shift
    cat "$@"
    printf '\n"""##\n'
}
{
    printf 'enum PageImage {\n'
    part body "$folder/body.html"
    part style "$folder/style.css"
    part script "$folder"/*.js
    printf '}\n'
} >"$output.new"
mv "$output.new" "$output"
