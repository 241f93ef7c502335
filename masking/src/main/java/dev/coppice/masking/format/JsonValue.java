package dev.coppice.masking.format;

import java.util.List;

/**
 * A jsonb value as a tree. Strings are UTF-8 bytes, numbers payloads of {@link PgNumeric}. It can be deeper than a stack: walk it
 * with a stack of your own, and leave {@code equals}, {@code hashCode} and {@code toString} to small ones.
 */
public sealed interface JsonValue {
    /** An object; the keys in jsonb's order: by length in bytes, then by bytes. */
    record JsonObject(List<Member> members) implements JsonValue {}

    /** One key and its value. */
    record Member(byte[] key, JsonValue value) {}

    /** An array. */
    record JsonArray(List<JsonValue> elements) implements JsonValue {}

    /** A string. */
    record JsonString(byte[] utf8) implements JsonValue {}

    /** A number. */
    record JsonNumber(byte[] numeric) implements JsonValue {}

    /** true, false or null. */
    enum JsonLiteral implements JsonValue {
        TRUE,
        FALSE,
        NULL
    }
}
