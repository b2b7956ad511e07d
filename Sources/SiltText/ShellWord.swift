extension String {
    /// The text as one word of a POSIX shell, in single quotes where it needs them (Shell Command Language, 2.2.2).
    package var quotedForShell: String {
        let isPlain =
            !isEmpty
            && unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || "0123456789_-+=./:,@%".unicodeScalars.contains($0)
            }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
