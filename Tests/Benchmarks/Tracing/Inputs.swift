/// What the real programs work on, made up from a fixed sequence of random numbers.
enum Inputs {
    private struct Random {
        var state: UInt64 = 88_172_645_463_325_252

        mutating func below(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % limit
        }

        mutating func word() -> String {
            let syllables = ["ka", "lo", "mi", "ne", "ru", "sta", "vel", "tor", "qui", "pha", "dri", "zon"]
            return (0..<2 + below(3)).map { _ in syllables[below(syllables.count)] }.joined()
        }
    }

    /// Tables, indexes, joins, aggregates, updates and text functions, as often as asked.
    static func sql(_ rounds: Int) -> String {
        var text = ""
        for round in 1...rounds {
            text += """
                CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER, price REAL, note TEXT);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
                INSERT INTO orders SELECT i, (i * 7919) % 997, (i * 31 % 10007) / 7.0,
                    'note ' || hex(i * 2654435761) || ' of round \(round)' FROM n;
                CREATE INDEX by_customer ON orders(customer, price);
                CREATE INDEX by_note ON orders(note);
                SELECT customer, count(*), sum(price), group_concat(substr(note, 6, 8)) FROM orders
                    GROUP BY customer ORDER BY sum(price) DESC LIMIT 5;
                SELECT count(*) FROM orders a JOIN orders b ON b.id = a.customer WHERE a.note < b.note;
                UPDATE orders SET note = upper(note) || customer WHERE customer % 3 = 0;
                SELECT length(group_concat(note, ';')) FROM (SELECT note FROM orders ORDER BY note);
                DELETE FROM orders WHERE id % 5 = 0;
                SELECT count(*), max(length(note)) FROM orders;
                DROP TABLE orders;

                """
            for number in 1...400 { text += "SELECT printf('%d %s', \(number), lower('ROW \(number * round)'));\n" }
        }
        return text
    }

    static let perl = """
        use strict; use warnings;
        my $rounds = shift;
        my $state = 12345;
        sub roll { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return $state >> 8; }
        my $sum = 0;
        for my $round (1 .. $rounds) {
            my (%count, %chain, @lines);
            my $last = '';
            for my $i (1 .. 20000) {
                my $word = join('', map { chr(97 + roll() % 26) } 1 .. 3 + roll() % 3);
                $count{$word}++;
                push @{ $chain{$last} }, $word if roll() % 4 == 0;
                $last = substr($word, 0, 2);
                push @lines, { word => $word, at => $i, text => "line $i: $word" };
            }
            my $text = join("\\n", map { $_->{text} } sort { $a->{word} cmp $b->{word} || $a->{at} <=> $b->{at} } @lines);
            $text =~ s/(\\w+): (\\w)/$2-$1/g;
            $sum += length($_) for split /\\n/, $text;
            $sum += scalar(@{ $chain{$_} }) for sort keys %chain;
            $sum += $count{$_} for sort keys %count;
        }
        print "$sum\\n";
        """

    static let python = """
        import sys

        class Node:
            __slots__ = ("left", "right", "key", "values")

            def __init__(self, key):
                self.left = self.right = None
                self.key = key
                self.values = [key]

        def insert(root, key):
            while True:
                if key == root.key:
                    root.values.append(key)
                    return
                side = "left" if key < root.key else "right"
                child = getattr(root, side)
                if child is None:
                    setattr(root, side, Node(key))
                    return
                root = child

        def walk(node):
            if node is None:
                return 0
            return walk(node.left) + sum(node.values) + walk(node.right)

        state = 12345
        def roll():
            global state
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            return state >> 8

        total = 0
        for _ in range(int(sys.argv[1])):
            root = Node(roll() % 100000)
            for _ in range(6000):
                insert(root, roll() % 100000)
            total += walk(root)
            words = {}
            for i in range(20000):
                word = "%x" % (roll() % 5000)
                words.setdefault(word, []).append((i, word * 2))
            lines = sorted("%s:%d" % (word, len(found)) for word, found in words.items())
            total += len(",".join(lines)) + sum(len(line.split(":")) for line in lines)
        print(total)
        """

    static func xml(_ records: Int) -> String {
        var random = Random()
        var text = "<?xml version=\"1.0\"?>\n<orders>\n"
        for record in 1...records {
            text += "  <order id=\"\(record)\" customer=\"\(random.word())\"><item sku=\"\(random.below(99999))\">"
            text += "\(random.word()) \(random.word())</item><note>\(random.word()) &amp; \(random.word())</note>"
            text += "<price currency=\"EUR\">\(random.below(100_000)).\(random.below(90) + 10)</price></order>\n"
        }
        return text + "</orders>\n"
    }

    /// A history for git fast-import: a few hundred files, some lines of some of them changed by each commit.
    static func history(_ commits: Int) -> String {
        var random = Random()
        var files = (0..<200).map { _ in (0..<120).map { _ in random.word() + " " + random.word() } }
        var text = ""
        for commit in 0..<commits {
            let message = "Change \(random.word()) of \(random.word())\n"
            text += "commit refs/heads/master\ncommitter A <a@example.org> \(1_700_000_000 + commit * 60) +0000\n"
            text += "data \(message.utf8.count)\n\(message)"
            let touched = commit == 0 ? Array(files.indices) : (0..<4).map { _ in random.below(files.count) }
            for file in touched {
                for _ in 0..<6 {
                    let line = random.below(files[file].count)
                    switch random.below(3) {
                    case 0: files[file].insert(random.word(), at: line)
                    case 1: files[file].remove(at: line)
                    default: files[file][line] = random.word() + " " + random.word() + ";"
                    }
                }
                let content = files[file].joined(separator: "\n") + "\n"
                text += "M 100644 inline folder\(file % 16)/file\(file).txt\ndata \(content.utf8.count)\n\(content)\n"
            }
        }
        return text
    }

    /// C++ that makes the compiler instantiate many templates, each a little different.
    static func templates(_ kinds: Int) -> String {
        var text = """
            #include <algorithm>
            #include <functional>
            #include <map>
            #include <memory>
            #include <numeric>
            #include <regex>
            #include <set>
            #include <string>
            #include <tuple>
            #include <unordered_map>
            #include <variant>
            #include <vector>
            template <int N> struct Tag { int value = N; bool operator<(const Tag &o) const { return value < o.value; } };
            template <int N> struct Sum { static constexpr int value = N + Sum<N - 1>::value; };
            template <> struct Sum<0> { static constexpr int value = 0; };

            """
        for kind in 1...kinds {
            text += """
                int work\(kind)(const std::vector<std::string> &words) {
                    std::map<Tag<\(kind)>, std::vector<std::pair<std::string, Tag<\(kind)>>>> table;
                    std::unordered_map<std::string, std::function<int(Tag<\(kind)>)>> calls;
                    std::set<std::tuple<int, std::string, Tag<\(kind)>>> seen;
                    std::variant<int, std::string, std::shared_ptr<Tag<\(kind)>>> either = std::make_shared<Tag<\(kind)>>();
                    for (auto &word : words) {
                        table[Tag<\(kind)>{int(word.size())}].push_back({word, {}});
                        calls[word] = [&](Tag<\(kind)> t) { return t.value + int(table.size()); };
                        seen.insert({int(word.size()), word, {}});
                    }
                    std::vector<int> sizes;
                    for (auto &[key, list] : table) {
                        std::sort(list.begin(), list.end(), [](auto &a, auto &b) { return a.first < b.first; });
                        sizes.push_back(key.value + int(list.size()) + calls[list[0].first](key));
                    }
                    return std::accumulate(sizes.begin(), sizes.end(), Sum<\(100 + kind)>::value + int(seen.size()))
                        + std::visit([](auto &v) { return int(sizeof v); }, either);
                }

                """
        }
        return text
    }
}
