package dev.coppice.masking.function.json;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.value.VariableMask;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Functions at paths of a json document, which is stored as the text that was inserted: everything that is not masked stays as it
 * was written, blanks and repeated keys too.
 *
 * @param rules in order, as for {@link JsonbMask}
 */
public record JsonTextMask(List<JsonRule> rules) implements VariableMask {
    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        byte[] masked = new JsonTextRewriter(text, rules, random).rewrite().getBytes(StandardCharsets.UTF_8);
        if (masked.length > value.length) {
            throw new MalformedValueException("a masked json document is longer than before");
        }
        return masked;
    }

    @Override
    public byte[] blank() {
        return new byte[] {'{', '}'};
    }

    @Override
    public byte[] shorten(byte[] masked, int capacity) {
        return capacity >= 2 ? blank() : new byte[] {'0'};
    }
}
