import Foundation

/// The folder with the packages of .ci/python-packages, for PYTHONPATH; their programs are in its folder bin.
///
/// Installed with pip when the list has changed since.
package func pythonPackages() throws -> String { try installed.get() }

/// The variables with which Python finds them; code that old versions of protobuf have generated works in it, too.
package func pythonEnvironment() throws -> [String: String] {
    ["PYTHONPATH": try pythonPackages(), "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"]
}

private let installed = Result { try installPythonPackages() }

private func installPythonPackages() throws -> String {
    let list = packageRoot.appending(path: ".ci/python-packages")
    let folder = packageRoot.appending(path: ".build/python-packages")
    let mark = folder.appending(path: "installed")
    if FileManager.default.contentsEqual(atPath: list.path(), andPath: mark.path()) { return folder.path() }
    if FileManager.default.fileExists(atPath: folder.path()) { try FileManager.default.removeItem(at: folder) }
    let result = try runProgram(
        ["python3", "-m", "pip", "install", "--quiet", "--target", folder.path(), "--requirement", list.path()],
        seconds: 300
    )
    guard result.status == 0 else { throw TestSetupError(description: result.errors) }
    try FileManager.default.copyItem(at: list, to: mark)
    return folder.path()
}
