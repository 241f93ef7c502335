package dev.coppice.cli.api;

import dev.coppice.cli.output.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a directory's commands are about: {@code .coppice} there or above it, JSON with {@code projectId} and {@code branch}.
 *
 * @param projectId absent = the only project
 * @param branch by name or id; absent = the default branch
 */
public record ProjectContext(
        @Nullable String projectId, @Nullable String branch) {
    public static final String FILE = ".coppice";
    private static final ProjectContext NOTHING = new ProjectContext(null, null);

    /** Reads {@code named}, or the file in {@code directory} or the nearest one above it; nothing when there is none. */
    public static ProjectContext find(@Nullable Path named, Path directory) {
        Optional<Path> file = Optional.ofNullable(named).or(() -> above(directory));
        return file.map(ProjectContext::read).orElse(NOTHING);
    }

    private static Optional<Path> above(Path directory) {
        for (Path at = directory.toAbsolutePath(); at != null; at = at.getParent()) {
            Path candidate = at.resolve(FILE);
            if (Files.isRegularFile(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    private static ProjectContext read(Path file) {
        try {
            JsonNode json = JsonMapper.shared().readTree(Files.readString(file));
            return new ProjectContext(text(json, "projectId"), text(json, "branch"));
        } catch (NoSuchFileException e) {
            return NOTHING;
        } catch (IOException | JacksonException e) {
            throw new CliException(
                    CliException.USAGE,
                    "cannot read the context file " + file + ": " + e.getMessage(),
                    "coppice set-context writes a new one");
        }
    }

    private static @Nullable String text(JsonNode json, String field) {
        String value = json.path(field).asString("");
        return value.isEmpty() ? null : value;
    }

    public void write(Path file) {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        if (projectId != null) {
            json.put("projectId", projectId);
        }
        if (branch != null) {
            json.put("branch", branch);
        }
        try {
            Files.writeString(file, json.toPrettyString() + System.lineSeparator());
        } catch (IOException e) {
            throw new CliException(CliException.USAGE, "cannot write " + file + ": " + e.getMessage(), null);
        }
    }
}
