package dev.coppice.masking.format;

import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

    /** The deepest document that is taken apart; Postgres's own functions end before it, at any usual max_stack_depth. */
    public static final int MAX_DEPTH = 100_000;

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
        JsonValue root = tree(payload);
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

    /** Without recursion: how deep a document goes is up to who wrote it, and the stack of a reader may be small. */
    private static JsonValue tree(byte[] payload) {
        Deque<OpenContainer> open = new ArrayDeque<>();
        open.push(new OpenContainer(payload, 0, payload.length));
        while (true) {
            OpenContainer top = open.element();
            if (top.hasNext()) {
                OpenContainer inner = top.next();
                if (inner != null) {
                    if (open.size() == MAX_DEPTH) {
                        throw malformed("is nested deeper than " + MAX_DEPTH);
                    }
                    open.push(inner);
                }
                continue;
            }
            JsonValue whole = open.pop().whole();
            if (open.isEmpty()) {
                return whole;
            }
            open.element().children.add(whole);
        }
    }

    /** A container some of whose children were read. */
    private static final class OpenContainer {
        private final byte[] payload;
        private final int start;
        private final int end;
        private final int count;
        private final int entries;
        private final int data;
        private final boolean object;
        private final List<JsonValue> children;
        private int at;
        private int offset;

        OpenContainer(byte[] payload, int start, int end) {
            if (end - start < 4) {
                throw malformed("has a container without a header");
            }
            int header = LittleEndian.i32(payload, start);
            this.payload = payload;
            this.start = start;
            this.end = end;
            count = header & COUNT_MASK;
            object = (header & OBJECT_FLAG) != 0;
            if (object == ((header & ARRAY_FLAG) != 0)) {
                throw malformed("has a container that is neither object nor array");
            }
            long claimed = object ? 2L * count : count;
            if (claimed > (end - start - 4) / 4) {
                throw malformed("claims more children than its bytes can hold");
            }
            entries = (int) claimed;
            data = start + 4 + 4 * entries;
            children = new ArrayList<>(entries);
        }

        boolean hasNext() {
            return at < entries;
        }

        /** Takes the next child, or returns it when it is a container: it is to be read first. */
        @Nullable
        OpenContainer next() {
            int entry = LittleEndian.i32(payload, start + 4 + 4 * at++);
            int field = entry & COUNT_MASK;
            int childEnd = (entry & HAS_OFFSET) != 0 ? field : offset + field;
            if (childEnd < offset || childEnd > end - data) {
                throw malformed("has a child outside of its container");
            }
            int from = data + offset;
            int to = data + childEnd;
            offset = childEnd;
            if ((entry & TYPE_MASK) == CONTAINER) {
                return new OpenContainer(payload, alignUp(from), to);
            }
            children.add(leaf(payload, entry & TYPE_MASK, from, to));
            return null;
        }

        JsonValue whole() {
            return object ? object(children, count) : new JsonArray(children);
        }
    }

    private static JsonValue leaf(byte[] payload, int type, int from, int to) {
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
            writer.whole(value, 0);
        } else {
            writer.whole(new JsonArray(List.of(value)), SCALAR_FLAG);
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

        /** Writes a container with everything in it, without recursion. */
        void whole(JsonValue root, int flags) {
            Deque<WrittenContainer> open = new ArrayDeque<>();
            open.push(begin(root, flags));
            while (!open.isEmpty()) {
                WrittenContainer top = open.element();
                if (top.at == top.children.size()) {
                    open.pop();
                    if (!open.isEmpty()) {
                        end(open.element(), CONTAINER);
                    }
                    continue;
                }
                top.before = out.size();
                JsonValue child = top.children.get(top.at);
                if (child instanceof JsonObject || child instanceof JsonArray) {
                    open.push(begin(child, 0));
                } else {
                    end(top, leaf(child));
                }
            }
        }

        private WrittenContainer begin(JsonValue value, int flags) {
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
            return new WrittenContainer(children, entries, out.size());
        }

        /** The child that was begun last is written: its entry can be. */
        private void end(WrittenContainer container, int type) {
            int i = container.at++;
            int field =
                    i % OFFSET_STRIDE == 0 ? out.size() - container.data | HAS_OFFSET : out.size() - container.before;
            patches.add(new int[] {container.entries + 4 * i, type | field});
        }

        private int leaf(JsonValue value) {
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
                case JsonObject _, JsonArray _ -> throw new IllegalStateException("a container is no leaf");
            };
        }
    }

    /** A container some of whose children were written. */
    private static final class WrittenContainer {
        private final List<JsonValue> children;
        private final int entries;
        private final int data;
        private int at;
        private int before;

        WrittenContainer(List<JsonValue> children, int entries, int data) {
            this.children = children;
            this.entries = entries;
            this.data = data;
        }
    }
}
