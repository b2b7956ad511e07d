import Foundation
import PackagePlugin

/// Turns the files of the HTML report into a Swift source that carries them, so that the executable needs nothing beside it.
@main
struct EmbedPage: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let folder = context.package.directoryURL.appending(path: "Sources/SiltReports/Page")
        let script = context.package.directoryURL.appending(path: "Sources/EmbedPage/embed.sh")
        let output = context.pluginWorkDirectoryURL.appending(path: "PageImage.swift")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return [
            .buildCommand(
                displayName: "Embedding the page",
                executable: URL(filePath: "/bin/sh"),
                arguments: [script.path(), folder.path(), output.path()],
                inputFiles: [script] + files,
                outputFiles: [output]
            )
        ]
    }
}
