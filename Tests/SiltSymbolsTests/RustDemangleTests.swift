import Foundation
import SiltTestNumbers
import SiltTestSupport
import Testing

@testable import SiltSymbols

struct RustDemangleTests {
    /// RFC 2603, rustc's own tests and what compilers emit.
    static let names: [(mangled: String, text: String)] = [
        ("_RNvCs4fqI2P2rA04_7mycrate3foo", "mycrate::foo"),
        ("_RNvC6_123foo3bar", "123foo::bar"),
        ("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y", "utf8_idents::საჭმელად_გემრიელი_სადილი"),
        ("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"),
        (
            "_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_",
            "<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}"
        ),
        (
            "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
            "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>"
        ),
        ("_RMC0INtC8arrayvec8ArrayVechKj7b_E", "<arrayvec::ArrayVec<u8, 123>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E", "<const_generic::Unsigned<11>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E", "<const_generic::Signed<152>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E", "<const_generic::Signed<-11>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb0_E", "<const_generic::Bool<false>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb1_E", "<const_generic::Bool<true>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E", "<const_generic::Char<'v'>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKca_E", "<const_generic::Char<'\\n'>>"),
        ("_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc2202_E", "<const_generic::Char<'∂'>>"),
        ("_RIC0Kj1_Kj12345678abcdef01_E", "::<1, 1311768467750121217>"),
        ("_RC3foo.llvm.9D1C9369", "foo"),
        ("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"),
        (
            "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
            "<Test + 'static as foo::Bar<Test>>::bar"
        ),
        ("_ZN12test$BP$test4foob17h0123456789abcdefE", "test*test::foob"),
    ]

    @Test(arguments: names)
    func namesAreReadAsRustWritesThem(mangled: String, text: String) {
        #expect(demangle(mangled) == text)
    }

    @Test func namesThatUnfoldWithoutEndAreGivenUp() {
        // A tuple, then tuples that name the one before twice: 2^40 elements at the end.
        var name = "MC0TTuuE"
        var last = 4
        for _ in 0..<40 {
            let reference = "B" + base62(last) + "_"
            last = name.utf8.count
            name += "T" + reference + reference + "E"
        }
        #expect(RustDemangler.demangle("_R" + name + "E") == nil)
        let small = "_RMC0TTuuETB3_B3_EE"
        #expect(RustDemangler.demangle(small) == "<(((), ()), (((), ()), ((), ())))>")
        #expect(RustDemangler.demangle("_RMC0" + String(repeating: "R", count: 100_000) + "u") == nil)
        #expect(RustDemangler.demangle("_RC" + String(repeating: "9", count: 40)) == nil)
        // A reference to itself, and one forward.
        #expect(RustDemangler.demangle("_RMC0B3_") == nil)
        #expect(RustDemangler.demangle("_RMC0BZZZZZZZZZZZZ_") == nil)
    }

    /// A number as back references write it.
    private func base62(_ value: Int) -> String {
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var rest = value - 1
        guard rest >= 0 else { return "" }
        var text = ""
        repeat {
            text = String(digits[rest % 62]) + text
            rest /= 62
        } while rest > 0
        return text
    }

    @Test func damagedNamesAreLeftAsTheyAre() {
        var generator = SeededGenerator(seed: .random(in: 0 ... .max))
        let seed = generator.seed
        let seeds = Self.names.map { Array($0.mangled.utf8) }
        for _ in 0..<20_000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 33..<127, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            let name = String(decoding: bytes, as: UTF8.self)
            let text = demangle(name)
            #expect(text.utf8.count <= 1 << 17, "\(name), seed \(seed)")
            _ = readableName(text)
            _ = abridgedName(text, width: 20)
        }
    }

    @Test(
        .enabled(
            if: isInstalled("rustc") && isInstalled("c++filt") && isInstalled("nm"),
            "rustc or binutils are not installed"
        ),
        arguments: ["v0", "legacy"]
    )
    func everySymbolOfARustProgramIsReadAsBinutilsReadsIt(mangling: String) throws {
        let folder = try ScratchFolder()
        let program = folder.file("program")
        let source = packageRoot.appending(path: "Tests/Workloads/leaks_rust.rs").path()
        let built = try runProgram(
            [
                "rustc", "-g", "-C", "symbol-mangling-version=\(mangling)", "-Z", "unstable-options", "-o", program,
                source,
            ],
            environment: ["RUSTC_BOOTSTRAP": "1"]
        )
        try #require(built.status == 0, "\(built.errors)")
        let symbols = try runProgram(["nm", program]).output.split(separator: "\n").compactMap { line in
            line.split(separator: " ").last.map(String.init)
        }.filter { $0.hasPrefix("_R") || $0.hasPrefix("_ZN") && $0.contains("17h") && $0.hasSuffix("E") }
        #expect(symbols.count > 500)
        let oracle = try runProgram(["c++filt", "-s", "rust"], input: symbols.joined(separator: "\n") + "\n").output
            .split(separator: "\n").map(String.init)
        try #require(oracle.count == symbols.count)
        let noise = try Regex(#"\[[0-9a-f]{1,16}\]|::h[0-9a-f]{16}$"#)
        let types = try Regex(#"(?<value>[0-9]+|true|false|'): (usize|isize|bool|char|[ui](8|16|32|64|128))\b"#)
        for (symbol, text) in zip(symbols, oracle) {
            // binutils shows crate hashes, the legacy hash and the types of constants.
            let expected = text.replacing(noise, with: "").replacing(types) { String($0["value"]?.substring ?? "") }
            #expect(demangle(symbol) == expected, "\(symbol)")
        }
    }
}

/// Whether a program can be found; a test that needs it says so when it is skipped.
func isInstalled(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        access("\($0)/\(program)", X_OK) == 0
    }
}
