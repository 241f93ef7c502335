package dev.coppice.masking.function;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.JsonValue;
import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.Jsonb;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Functions at paths of a jsonb document; keys stay. The first rule whose path leads to a value, or to what contains it, masks it.
 *
 * @param rules in order
 */
record JsonbMask(List<JsonRule> rules) implements VariableMask {
    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        long[] positions = rules.stream().mapToLong(rule -> rule.path().start()).toArray();
        return Jsonb.encode(walk(random, Jsonb.decode(value), positions));
    }

    private JsonValue walk(PseudoRandom random, JsonValue value, long[] positions) {
        for (int i = 0; i < positions.length; i++) {
            if (rules.get(i).path().matches(positions[i])) {
                return masked(random, value, rules.get(i).leaves());
            }
        }
        return switch (value) {
            case JsonObject(List<Member> members) -> {
                List<Member> walked = new ArrayList<>(members.size());
                for (Member member : members) {
                    String key = new String(member.key(), StandardCharsets.UTF_8);
                    walked.add(new Member(member.key(), walk(random, member.value(), descend(positions, key, 0))));
                }
                yield new JsonObject(walked);
            }
            case JsonArray(List<JsonValue> elements) -> {
                List<JsonValue> walked = new ArrayList<>(elements.size());
                for (int i = 0; i < elements.size(); i++) {
                    walked.add(walk(random, elements.get(i), descend(positions, null, i)));
                }
                yield new JsonArray(walked);
            }
            case JsonString string -> string;
            case JsonNumber number -> number;
            case JsonLiteral literal -> literal;
        };
    }

    private long[] descend(long[] positions, @org.jspecify.annotations.Nullable String key, int index) {
        long[] next = new long[positions.length];
        for (int i = 0; i < next.length; i++) {
            next[i] = rules.get(i).path().descend(positions[i], key, index);
        }
        return next;
    }

    private static JsonValue masked(PseudoRandom random, JsonValue value, JsonLeaves leaves) {
        return switch (value) {
            case JsonObject(List<Member> members) ->
                new JsonObject(members.stream()
                        .map(member -> new Member(member.key(), masked(random, member.value(), leaves)))
                        .toList());
            case JsonArray(List<JsonValue> elements) ->
                new JsonArray(elements.stream()
                        .map(element -> masked(random, element, leaves))
                        .toList());
            case JsonString(byte[] utf8) -> new JsonString(leaves.string(random, utf8));
            case JsonNumber(byte[] numeric) -> new JsonNumber(leaves.numeric(random, numeric));
            case JsonLiteral ignored -> JsonLiteral.NULL;
        };
    }

    @Override
    public byte[] blank() {
        return Jsonb.emptyObject();
    }
}
