package dev.coppice.control.masking;

import dev.coppice.storage.fault.StorageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * All that the boundary of a timeline is made of, frozen when the timeline is: compressed JSON.
 *
 * @param projectId whose key it is
 * @param keyId the key's name
 * @param sealedKey the key, sealed and in base64
 * @param codeVersion of the code that the plan was made for
 * @param catalogs what {@link CatalogQuery} found in each database at the clean point
 */
record MaskDocument(
        String projectId, String keyId, String sealedKey, int codeVersion, RuleSet rules, List<JsonNode> catalogs) {
    private static final int VERSION = 1;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    static JsonNode readCatalog(String json) {
        return JSON.readTree(json);
    }

    byte[] bytes() {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", VERSION);
        root.put("project", projectId);
        root.put("keyId", keyId);
        root.put("key", sealedKey);
        root.put("codeVersion", codeVersion);
        root.put("rules", rules.json());
        ArrayNode array = root.putArray("catalogs");
        catalogs.forEach(array::add);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream zipped = new GZIPOutputStream(bytes)) {
            JSON.writeValue(zipped, root);
        } catch (IOException e) {
            throw new IllegalStateException("memory cannot be written to", e);
        }
        return bytes.toByteArray();
    }

    /** @throws StorageException when it is damaged or of another version */
    static MaskDocument parse(byte[] bytes) {
        try (GZIPInputStream unzipped = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            JsonNode root = JSON.readTree(unzipped);
            if (root.path("version").asInt(0) != VERSION) {
                throw new StorageException("the masking plan has version " + root.path("version") + ", not " + VERSION);
            }
            List<JsonNode> catalogs = new ArrayList<>();
            root.path("catalogs").forEach(catalogs::add);
            return new MaskDocument(
                    root.path("project").stringValue(),
                    root.path("keyId").stringValue(),
                    root.path("key").stringValue(),
                    root.path("codeVersion").intValue(),
                    RuleSet.parse(root.path("rules").stringValue()),
                    catalogs);
        } catch (IOException | JacksonException | IllegalArgumentException e) {
            throw new StorageException("the masking plan cannot be read: " + e.getMessage(), e);
        }
    }
}
