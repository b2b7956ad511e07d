import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Arguments, variables and names of files are bytes, and silt finds its own wherever they are.
    struct Arguments {
        /// Latin-1, cut sequences of UTF-8, what stands for such bytes inside silt, an empty word.
        @Test func argumentsReachTheProgramByteForByte() throws {
            let script = #"""
                set -- $'caf\xe9' $'\xff' $'\xe2\x82' $'\xf4\x8f\xbe\x80' '' $'it\'s\n' --help 'Übung'
                [ "$("$silt" run --out run.silt -- printf '<%s>' "$@" 2>/dev/null | od -An -tx1)" \
                    = "$(printf '<%s>' "$@" | od -An -tx1)" ] && echo same
                "$silt" report run.silt | head -0; "$silt" report run.silt --json | grep -F 'caf\\xe9'
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output.hasPrefix("same\n"), "\(result.output)\(result.errors)")
            #expect(result.output.contains("caf\\\\xe9"), "reports show the byte by its number")
        }

        @Test func variablesReachTheProgramByteForByte() throws {
            let script = #"""
                export LATIN=$'caf\xe9' SILT_OWN=$'\xff' LD_PRELOAD=
                "$silt" run --out run.silt -- sh -c 'printf "%s %s" "$LATIN" "$SILT_OWN"' 2>/dev/null | od -An -tx1
                env $'N\xe9=1' "$silt" run --out run.silt -- env 2>/dev/null | LC_ALL=C grep -ac $'^N\xe9=1$'
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output == " 63 61 66 e9 20 ff\n1\n", "\(result.errors)")
        }

        @Test func namesOfProgramsFoldersAndRecordingsMayBeNoUTF8() throws {
            let folder = try ScratchFolder()
            let growth = try buildWorkload("growth", into: folder)
            let script = #"""
                mkdir $'d\xe9' && cp \#(growth) $'d\xe9/p\xff' && cd $'d\xe9' || exit
                "$silt" run --out $'r\xe9.silt' --events $'e\xe9' --snapshot-every 100ms -- $'./p\xff' 2 2>errors; echo $?
                "$silt" report $'r\xe9.silt' | head -1; "$silt" report $'e\xe9' | head -1
                "$silt" doctor $'./p\xff' | grep -c 'can be traced'
                "$silt" shim $'l\xe9' && [ -s $'l\xe9' ] && echo written; "$silt" shim $'no\xff/l'
                ls | wc -l; grep -c 'line numbers' errors
                """#
            let result = try EndToEnd.bash(script, in: folder)
            let lines = result.output.split(separator: "\n")
            try #require(lines.count == 7, "\(result.output)\(result.errors)")
            #expect(lines[0] == "0")
            #expect(lines[1].hasPrefix("GROWING: 1 call site"))
            #expect(lines[2] == lines[1])
            #expect(lines[3...].joined(separator: " ") == "1 written 5 0")
            #expect(result.errors.contains(#"cannot write no\xff/l"#))
        }

        /// The service and the load of a hunt.
        @Test func aHuntPassesItsWordsOnByteForByte() throws {
            let script = #"""
                "$silt" hunt --ready 300ms --idle 100ms --phase $'p=printf %s caf\xe9 > load; exit 1' \
                    -- sh -c 'printf %s "$1" > service; sleep 30; :' sh $'\xff' >report 2>errors
                cat service load | od -An -tx1
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output == " ff 63 61 66 e9\n", "\(result.errors)")
        }

        /// libfaketime does so: then what lies behind the environment is no argument vector.
        @Test(arguments: ["setenv(\"OTHER\", \"1\", 1)", "clearenv()", "unsetenv(\"PATH\")", "putenv(\"A=b\")"])
        func aLibraryThatChangesTheEnvironmentBeforeMainHidesNoArgument(change: String) throws {
            let folder = try ScratchFolder()
            try "#include <stdlib.h>\n__attribute__((constructor)) static void change(void) { \(change); }\n"
                .write(toFile: folder.file("change.c"), atomically: false, encoding: .utf8)
            let script = #"""
                gcc -D_GNU_SOURCE -w -shared -fPIC -o change.so change.c || exit
                LD_PRELOAD=$PWD/change.so "$silt" run --out run.silt -- /bin/sh -c 'echo "$1"; exit 4' sh 'a b' 2>errors
                echo $?
                """#
            let result = try EndToEnd.bash(script, in: folder)
            #expect(result.output == "a b\n4\n", "\(result.errors)")
        }

        @Test(.enabled(if: getuid() == 0, "mounting over /proc needs root"))
        func withoutProcTheCommandRuns() throws {
            let script = #"""
                unshare -m sh -c 'mount -t tmpfs none /proc && exec "$silt" run --out run.silt -- /bin/sh -c "echo ran; exit 4"'
                echo $?
                """#
            let result = try EndToEnd.bash(script, in: ScratchFolder())
            #expect(result.output == "ran\n4\n", "\(result.errors)")
        }
    }
}
