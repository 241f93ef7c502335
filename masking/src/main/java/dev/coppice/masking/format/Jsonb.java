package dev.coppice.masking.format;

import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * jsonb on disk (utils/jsonb.h, jsonb_util.c): a container header, one entry per child (its length, for every 32nd its end
 * offset), the children's bytes; numbers and containers aligned to 4. A scalar is an array of one with a flag.
 */
public final class Jsonb {
    private static final int COUNT_MASK = 0x0FFF_FFFF;
    private static final int SCALAR_FLAG = 0x1000_0000;
    private static final int OBJECT_FLAG = 0x2000_0000;
    private static final int ARRAY_FLAG = 0x4000_0000;
    private static final int TYPE_MASK = 0x7000_0000;
    private static final int HAS_OFFSET = 0x8000_0000;
    private static final int STRING = 0x0000_0000;
    private static final int NUMERIC = 0x1000_0000;
    private static final int FALSE = 0x2000_0000;
    private static final int TRUE = 0x3000_0000;
    private static final int NULL = 0x4000_0000;
    private static final int CONTAINER = 0x5000_0000;
    private static final int OFFSET_STRIDE = 32;
    private static final int MAX_DEPTH = 1000;

    private Jsonb() {}

    /**
     * Takes a payload apart.
     *
     * @throws MalformedValueException if it is no jsonb, or nested deeper than {@value #MAX_DEPTH}
     */
    public static JsonValue decode(byte[] payload) {
        if (payload.length < 4) {
            throw malformed("is too short");
        }
        JsonValue root = container(payload, 0, payload.length, 0);
        if ((LittleEndian.i32(payload, 0) & SCALAR_FLAG) != 0) {
            List<JsonValue> elements = ((JsonArray) root).elements();
            if (elements.size() != 1) {
                throw malformed("is a scalar of " + elements.size() + " elements");
            }
            return elements.getFirst();
        }
        return root;
    }

    private static MalformedValueException malformed(String what) {
        return new MalformedValueException("a jsonb " + what);
    }

    private static JsonValue container(byte[] payload, int start, int end, int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("is nested deeper than " + MAX_DEPTH);
        }
        if (end - start < 4) {
            throw malformed("has a container without a header");
        }
        int header = LittleEndian.i32(payload, start);
        int count = header & COUNT_MASK;
        boolean object = (header & OBJECT_FLAG) != 0;
        if (object == ((header & ARRAY_FLAG) != 0)) {
            throw malformed("has a container that is neither object nor array");
        }
        long entries = object ? 2L * count : count;
        if (entries > (end - start - 4) / 4) {
            throw malformed("claims more children than its bytes can hold");
        }
        int data = start + 4 + 4 * (int) entries;
        List<JsonValue> children = new ArrayList<>((int) entries);
        int offset = 0;
        for (int i = 0; i < entries; i++) {
            int entry = LittleEndian.i32(payload, start + 4 + 4 * i);
            int field = entry & COUNT_MASK;
            int childEnd = (entry & HAS_OFFSET) != 0 ? field : offset + field;
            if (childEnd < offset || childEnd > end - data) {
                throw malformed("has a child outside of its container");
            }
            children.add(child(payload, entry & TYPE_MASK, data + offset, data + childEnd, depth));
            offset = childEnd;
        }
        return object ? object(children, count) : new JsonArray(children);
    }

    private static JsonValue child(byte[] payload, int type, int from, int to, int depth) {
        return switch (type) {
            case STRING -> new JsonString(Arrays.copyOfRange(payload, from, to));
            case NUMERIC -> {
                int at = alignUp(from);
                if (at >= to) {
                    throw malformed("has a number without bytes");
                }
                yield new JsonNumber(Varlena.payload(payload, at, Varlena.size(payload, at, to)));
            }
            case FALSE -> JsonLiteral.FALSE;
            case TRUE -> JsonLiteral.TRUE;
            case NULL -> JsonLiteral.NULL;
            case CONTAINER -> container(payload, alignUp(from), to, depth + 1);
            default -> throw malformed("has a child of unknown type");
        };
    }

    private static JsonObject object(List<JsonValue> children, int count) {
        List<Member> members = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            if (!(children.get(i) instanceof JsonString(byte[] key))) {
                throw malformed("has a key that is not a string");
            }
            members.add(new Member(key, children.get(count + i)));
        }
        return new JsonObject(members);
    }

    private static int alignUp(int at) {
        return at + 3 & ~3;
    }

    /** The payload of a value; keys must be in jsonb's order. */
    public static byte[] encode(JsonValue value) {
        Writer writer = new Writer();
        if (value instanceof JsonObject || value instanceof JsonArray) {
            writer.container(value, 0);
        } else {
            writer.container(new JsonArray(List.of(value)), SCALAR_FLAG);
        }
        return writer.bytes();
    }

    /** The payload of {@code {}}. */
    public static byte[] emptyObject() {
        return encode(new JsonObject(List.of()));
    }

    /** Appends children, and goes back to fill in their entries. */
    private static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final List<int[]> patches = new ArrayList<>();

        byte[] bytes() {
            byte[] bytes = out.toByteArray();
            patches.forEach(patch -> LittleEndian.put32(bytes, patch[0], patch[1]));
            return bytes;
        }

        private void pad() {
            while (out.size() % 4 != 0) {
                out.write(0);
            }
        }

        private void word(int value) {
            byte[] word = new byte[4];
            LittleEndian.put32(word, 0, value);
            out.writeBytes(word);
        }

        void container(JsonValue value, int flags) {
            pad();
            List<JsonValue> children = new ArrayList<>();
            if (value instanceof JsonObject(List<Member> members)) {
                word(members.size() | OBJECT_FLAG);
                members.forEach(member -> children.add(new JsonString(member.key())));
                members.forEach(member -> children.add(member.value()));
            } else if (value instanceof JsonArray(List<JsonValue> elements)) {
                word(elements.size() | ARRAY_FLAG | flags);
                children.addAll(elements);
            }
            int entries = out.size();
            children.forEach(child -> word(0));
            int data = out.size();
            for (int i = 0; i < children.size(); i++) {
                int before = out.size();
                int type = child(children.get(i));
                int field = i % OFFSET_STRIDE == 0 ? out.size() - data | HAS_OFFSET : out.size() - before;
                patches.add(new int[] {entries + 4 * i, type | field});
            }
        }

        private int child(JsonValue value) {
            return switch (value) {
                case JsonString(byte[] utf8) -> {
                    out.writeBytes(utf8);
                    yield STRING;
                }
                case JsonNumber(byte[] numeric) -> {
                    pad();
                    out.writeBytes(Varlena.plainForm(numeric));
                    yield NUMERIC;
                }
                case JsonLiteral literal ->
                    switch (literal) {
                        case TRUE -> TRUE;
                        case FALSE -> FALSE;
                        case NULL -> NULL;
                    };
                case JsonObject object -> {
                    container(object, 0);
                    yield CONTAINER;
                }
                case JsonArray array -> {
                    container(array, 0);
                    yield CONTAINER;
                }
            };
        }
    }
}
