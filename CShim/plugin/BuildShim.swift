import Foundation
import PackagePlugin

/// Compiles the preload library with its own flags and turns it into a Swift source that carries its bytes.
@main
struct BuildShim: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let sources = context.package.directoryURL.appending(path: "CShim")
        let script = sources.appending(path: "build.sh")
        let output = context.pluginWorkDirectoryURL.appending(path: "ShimImage.swift")
        let files = ["", "wire"].flatMap { folder in
            (try? FileManager.default.contentsOfDirectory(
                at: sources.appending(path: folder),
                includingPropertiesForKeys: nil
            )) ?? []
        }
        return [
            .buildCommand(
                displayName: "Building the preload shim",
                executable: URL(filePath: "/bin/sh"),
                arguments: [script.path(), sources.path(), context.pluginWorkDirectoryURL.path()],
                inputFiles: files.filter { ["c", "h", "map", "sh"].contains($0.pathExtension) },
                outputFiles: [output]
            )
        ]
    }
}
