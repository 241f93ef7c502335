package dev.coppice.masking.function.json;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.JsonValue;
import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.function.value.VariableMask;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Functions at paths of a jsonb document; keys stay. The first rule whose path leads to a value, or to what contains it, masks it.
 *
 * @param rules in order
 */
public record JsonbMask(List<JsonRule> rules) implements VariableMask {
    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        return Jsonb.encode(masked(random, Jsonb.decode(value)));
    }

    /** Without recursion: a document may be deeper than the stack. */
    private JsonValue masked(PseudoRandom random, JsonValue root) {
        Deque<OpenContainer> open = new ArrayDeque<>();
        long[] start = rules.stream().mapToLong(rule -> rule.path().start()).toArray();
        JsonLeaves ofRoot = leaves(start, null);
        if (!isContainer(root)) {
            return leaf(random, root, ofRoot);
        }
        open.push(new OpenContainer(root, start, ofRoot));
        while (true) {
            OpenContainer top = open.element();
            if (!top.hasNext()) {
                JsonValue whole = open.pop().whole();
                if (open.isEmpty()) {
                    return whole;
                }
                open.element().take(whole);
                continue;
            }
            JsonValue child = top.next();
            long[] positions = descend(top.positions, top.key(), top.index());
            JsonLeaves leaves = leaves(positions, top.leaves);
            if (isContainer(child)) {
                open.push(new OpenContainer(child, positions, leaves));
            } else {
                top.take(leaf(random, child, leaves));
            }
        }
    }

    private static boolean isContainer(JsonValue value) {
        return value instanceof JsonObject || value instanceof JsonArray;
    }

    /** What is done at a place, by the first rule that leads to it or to what contains it; null for nothing. */
    private @Nullable JsonLeaves leaves(long[] positions, @Nullable JsonLeaves inherited) {
        JsonLeaves found = inherited;
        for (int i = 0; found == null && i < positions.length; i++) {
            found = rules.get(i).path().matches(positions[i]) ? rules.get(i).leaves() : null;
        }
        return found;
    }

    /** An object or array some of whose children were masked. */
    private static final class OpenContainer {
        private final JsonValue value;
        private final long[] positions;
        private final @Nullable JsonLeaves leaves;
        private final List<JsonValue> done = new ArrayList<>();

        OpenContainer(JsonValue value, long[] positions, @Nullable JsonLeaves leaves) {
            this.value = value;
            this.positions = positions;
            this.leaves = leaves;
        }

        boolean hasNext() {
            return done.size()
                    < (value instanceof JsonObject(List<Member> members)
                            ? members.size()
                            : ((JsonArray) value).elements().size());
        }

        JsonValue next() {
            return value instanceof JsonObject(List<Member> members)
                    ? members.get(done.size()).value()
                    : ((JsonArray) value).elements().get(done.size());
        }

        /** The key of the next child; null in an array. */
        @Nullable
        String key() {
            return value instanceof JsonObject(List<Member> members)
                    ? new String(members.get(done.size()).key(), StandardCharsets.UTF_8)
                    : null;
        }

        int index() {
            return value instanceof JsonArray ? done.size() : 0;
        }

        void take(JsonValue child) {
            done.add(child);
        }

        JsonValue whole() {
            if (!(value instanceof JsonObject(List<Member> members))) {
                return new JsonArray(done);
            }
            List<Member> masked = new ArrayList<>(done.size());
            for (int i = 0; i < done.size(); i++) {
                masked.add(new Member(members.get(i).key(), done.get(i)));
            }
            return new JsonObject(masked);
        }
    }

    private long[] descend(long[] positions, @Nullable String key, int index) {
        long[] next = new long[positions.length];
        for (int i = 0; i < next.length; i++) {
            next[i] = rules.get(i).path().descend(positions[i], key, index);
        }
        return next;
    }

    private static JsonValue leaf(PseudoRandom random, JsonValue value, @Nullable JsonLeaves leaves) {
        if (leaves == null) {
            return value;
        }
        return switch (value) {
            case JsonString(byte[] utf8) -> new JsonString(leaves.string(random, utf8));
            case JsonNumber(byte[] numeric) -> new JsonNumber(leaves.numeric(random, numeric));
            case JsonLiteral _ -> JsonLiteral.NULL;
            case JsonObject _, JsonArray _ -> throw new IllegalStateException("a container is no leaf");
        };
    }

    @Override
    public byte[] blank() {
        return Jsonb.emptyObject();
    }
}
