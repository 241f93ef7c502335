package dev.coppice.control.masking;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The strings and numbers of some documents, by where they stand; elements of an array stand at one place. */
final class JsonSamples {
    private static final int MAX_DEPTH = 8;
    private static final int MAX_PATHS = 200;

    private JsonSamples() {}

    /** By path, as rules write it. Documents that were cut are passed over. */
    static Map<String, List<String>> paths(Collection<String> documents) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (String document : documents) {
            try {
                collect("$", JsonMapper.shared().readTree(document), 0, values);
            } catch (JacksonException cut) {
                // The others tell enough.
            }
        }
        return values;
    }

    private static void collect(String path, JsonNode node, int depth, Map<String, List<String>> into) {
        if (node.isObject() && depth < MAX_DEPTH) {
            node.properties().forEach(member -> {
                String key = member.getKey();
                if (key.matches("[\\p{L}\\p{N}_-]+")) {
                    collect(path + "." + key, member.getValue(), depth + 1, into);
                } else if (!key.isEmpty() && key.indexOf('"') < 0) {
                    collect(path + ".\"" + key + "\"", member.getValue(), depth + 1, into);
                }
            });
        } else if (node.isArray() && depth < MAX_DEPTH) {
            node.forEach(element -> collect(path + "[*]", element, depth + 1, into));
        } else if (node.isValueNode() && !node.isNull() && !node.isBoolean()) {
            if (into.size() < MAX_PATHS || into.containsKey(path)) {
                into.computeIfAbsent(path, key -> new ArrayList<>()).add(node.asString());
            }
        }
    }
}
