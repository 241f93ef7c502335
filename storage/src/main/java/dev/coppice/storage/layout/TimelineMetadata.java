package dev.coppice.storage.layout;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A timeline's {@code timeline.json}.
 *
 * @param ancestor where it begins; null for a root
 * @param boundary the SHA-256, in hexadecimal digits, of the document that its parent is seen through; null without one, or when
 *     the file does not say
 * @param saysBoundary whether the file says if there is one: those of version 1 do not
 */
public record TimelineMetadata(
        TimelineId id,
        @Nullable BranchPoint ancestor,
        Instant createdAt,
        @Nullable String boundary,
        boolean saysBoundary) {
    public static final String FILE_NAME = "timeline.json";

    private static final int VERSION = 2;
    private static final int VERSION_WITHOUT_BOUNDARY = 1;
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Of a timeline that is made now. */
    public static TimelineMetadata of(
            TimelineId id, @Nullable BranchPoint ancestor, Instant createdAt, @Nullable String boundary) {
        return new TimelineMetadata(id, ancestor, createdAt, boundary, true);
    }

    /** The same of a timeline that has a boundary, as is known now. */
    public TimelineMetadata behind(String documentHash) {
        return of(id, ancestor, createdAt, documentHash);
    }

    /** Writes the file, durably. */
    public void store(Path directory) throws IOException {
        ObjectNode node = JSON.createObjectNode();
        node.put("version", VERSION);
        node.put("id", id.value());
        node.put("parent", ancestor == null ? null : ancestor.timeline().value());
        node.put("ancestorLsn", ancestor == null ? null : ancestor.lsn().toString());
        node.put("createdAt", createdAt.toString());
        node.put("boundary", boundary);
        DurableFiles.replace(directory.resolve(FILE_NAME), (node + "\n").getBytes(StandardCharsets.UTF_8));
    }

    public static TimelineMetadata load(Path directory) {
        Path file = directory.resolve(FILE_NAME);
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            int version = node.path("version").asInt(0);
            if (version != VERSION && version != VERSION_WITHOUT_BOUNDARY) {
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
            return new TimelineMetadata(
                    id,
                    ancestor,
                    Instant.parse(text(node, "createdAt", file)),
                    version == VERSION ? boundary(node, file) : null,
                    version == VERSION);
        } catch (IOException | JacksonException | IllegalArgumentException | java.time.DateTimeException e) {
            throw new StorageException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static @Nullable String boundary(JsonNode node, Path file) {
        if (node.has("boundary") && node.path("boundary").isNull()) {
            return null;
        }
        String hash = text(node, "boundary", file);
        if (!SHA_256.matcher(hash).matches()) {
            throw new StorageException(file + ": \"boundary\" is no SHA-256: \"" + hash + "\"");
        }
        return hash;
    }

    private static String text(JsonNode node, String field, Path file) {
        JsonNode value = node.path(field);
        if (!value.isString()) {
            throw new StorageException(file + ": \"" + field + "\" is missing or no text");
        }
        return value.stringValue();
    }
}
