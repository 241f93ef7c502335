package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A timeline's {@code timeline.json}.
 *
 * @param ancestor where it begins; null for a root
 */
record TimelineMetadata(TimelineId id, @Nullable BranchPoint ancestor, Instant createdAt) {
    static final String FILE_NAME = "timeline.json";

    private static final int VERSION = 1;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Writes the file, durably. */
    void store(Path directory) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put("version", VERSION);
        node.put("id", id.value());
        node.put("parent", ancestor == null ? null : ancestor.timeline().value());
        node.put("ancestorLsn", ancestor == null ? null : ancestor.lsn().toString());
        node.put("createdAt", createdAt.toString());
        DurableFiles.replace(directory.resolve(FILE_NAME), (node + "\n").getBytes(StandardCharsets.UTF_8));
    }

    static TimelineMetadata load(Path directory) {
        Path file = directory.resolve(FILE_NAME);
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            if (node.path("version").asInt(0) != VERSION) {
                throw new StorageException(file + ": version " + node.path("version") + " is not known");
            }
            TimelineId id = new TimelineId(text(node, "id", file));
            if (!id.value().equals(directory.getFileName().toString())) {
                throw new StorageException(file + " says that it is of timeline " + id);
            }
            BranchPoint ancestor = null;
            if (node.hasNonNull("parent")) {
                ancestor = new BranchPoint(
                        new TimelineId(text(node, "parent", file)), Lsn.parse(text(node, "ancestorLsn", file)));
            }
            return new TimelineMetadata(id, ancestor, Instant.parse(text(node, "createdAt", file)));
        } catch (IOException | JacksonException | IllegalArgumentException | java.time.DateTimeException e) {
            throw new StorageException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static String text(JsonNode node, String field, Path file) {
        JsonNode value = node.path(field);
        if (!value.isString()) {
            throw new StorageException(file + ": \"" + field + "\" is missing or no text");
        }
        return value.stringValue();
    }
}
