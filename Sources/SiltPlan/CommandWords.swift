/// Splits a command as a shell does, without doing anything else that a shell does.
enum CommandWords {
    enum Outcome: Equatable {
        case words([String])
        /// With what is to be done.
        case problem(String)
    }

    /// Words end at white space; `'…'`, `"…"` and backslashes quote (POSIX shell command language, 2.2).
    static func split(_ command: String) -> Outcome {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in command {
            if isEscaped {
                // Between double quotes a backslash stays before all but these.
                if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote, character == open {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                words += word.map { [$0] } ?? []
                word = nil
            } else if quote != "'" && "$`".contains(character) || quote == nil && "|&;<>()*?".contains(character) {
                return .problem(
                    "silt starts the command without a shell, which \(character) needs: quote it, or write "
                        + "[sh, -c, \"exec …\"]"
                )
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else { return .problem("a quote is not closed") }
        words += word.map { [$0] } ?? []
        return words.isEmpty ? .problem("there is no word in it") : .words(words)
    }
}
