import Foundation
import SiltTestSupport
import Testing

@testable import SiltSymbols

/// Names that a program brings along are demangled within bounds of time and memory.
struct HostileNameTests {
    private func base36(_ number: Int) -> String { String(number, radix: 36, uppercase: true) }

    /// A function whose parameters are templates of two of the one before.
    private func doublingCxx(_ levels: Int) -> String {
        var name = "_Z1f1PIiiE"
        var last = "S0_"
        for level in 1..<levels {
            name += "S_I\(last)\(last)E"
            last = "S\(base36(level))_"
        }
        return name
    }

    /// A function of `m.S<m.S<…>, the same again>`.
    private func doublingSwift(_ levels: Int) -> String {
        var type = "ADyS2iG"
        for level in 0..<levels {
            let index = 4 + level
            let reference =
                index < 26 ? "A" + String(UnicodeScalar(UInt8(65 + index))) : "A\(index - 26)_"
            type = "ADy" + type + reference + "G"
        }
        return "$s1m1gyyAA1SVy" + type.dropFirst(3) + "F"
    }

    @Test func doublingNamesOfCxxStayMangled() {
        #expect(
            demangle(doublingCxx(3))
                == "f(P<int, int>, P<P<int, int>, P<int, int> >, P<P<P<int, int>, P<int, int> >, P<P<int, int>, P<int, int> > >)"
        )
        for levels in [20, 26, 34, 100, 400] {
            let name = doublingCxx(levels)
            #expect(demangle(name) == name)
        }
    }

    @Test func doublingNamesOfSwiftStayMangled() {
        #expect(demangle(doublingSwift(2)).hasPrefix("m.g(m.S<m.S<m.S<Swift.Int, Swift.Int>, m.S<"))
        for levels in [16, 60] {
            let name = doublingSwift(levels)
            #expect(SwiftNameBound.mayBeHuge(name))
            #expect(demangle(name) == name)
        }
    }

    /// A name that might be huge and is not: the child says the same as this process would.
    @Test func longOrdinaryNamesOfSwiftAreDemangledAllTheSame() {
        let name =
            "$s1m7longOneyAA1PVyAA1QVADyAFSayAFGGGAH_ADyAgFGADyA2FGAF_AkFtAK_AfGtAH_A2FtADyAkFGADyAfKGtF"
        #expect(SwiftNameBound.mayBeHuge(name))
        #expect(demangle(name).hasPrefix("m.longOne(m.P<m.Q, Swift.Array<m.Q>>, m.P<Swift.Array<m.Q>, m.Q>, "))
        #expect(demangle(name).hasSuffix(") -> m.P<m.Q, m.P<m.Q, Swift.Array<m.Q>>>"))
        #expect(demangle(doublingSwift(9)).utf8.count > 8_000)
    }

    @Test func namesOfMegabytesAreCut() {
        for start in ["_ZN", "$s", "_R", "f"] {
            let text = demangle(start + String(repeating: "1a", count: 1 << 20))
            #expect(text.utf8.count < 70_000)
            #expect(text.hasSuffix("…"))
        }
    }
}
