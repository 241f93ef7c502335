package dev.coppice.masking.function.value;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.PgArray;
import dev.coppice.masking.format.PgArray.ElementLayout;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.layout.DataType.Array;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A function on each element of an array. Its shape and its NULLs stay. */
public record ArrayMask(Array type, ValueMask element) implements VariableMask {
    private ElementLayout layout() {
        return new ElementLayout(type.elementLength(), type.elementAlignment());
    }

    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        PgArray array = PgArray.decode(value, layout());
        List<byte @Nullable []> masked = new ArrayList<>(array.elements().size());
        for (byte[] stored : array.elements()) {
            masked.add(stored == null ? null : element(random, stored, array.hasNullBitmap()));
        }
        return new PgArray(array.header(), array.hasNullBitmap(), masked).encode(layout());
    }

    private byte @Nullable [] element(PseudoRandom random, byte[] stored, boolean nullable) {
        if (type.elementLength() > 0) {
            byte[] masked = element.mask(random, stored);
            return masked == null && !nullable ? element.blank() : masked;
        }
        byte[] payload = Varlena.payload(stored, 0, stored.length);
        byte[] masked = element.mask(random, payload);
        if (masked == null && !nullable) {
            masked = element.blank();
        }
        if (masked == null) {
            return null;
        }
        return switch (Varlena.form(stored, 0)) {
            case SHORT -> Varlena.shortForm(masked);
            case PLAIN -> Varlena.plainForm(masked);
            case COMPRESSED, EXTERNAL -> compressed(masked, stored.length);
        };
    }

    private byte[] compressed(byte[] masked, int size) {
        int capacity = size - Varlena.HEADER;
        if (masked.length <= capacity) {
            return Varlena.plainForm(masked);
        }
        byte[] packed = Varlena.compressedForm(masked);
        return packed.length <= size ? packed : Varlena.plainForm(element.shorten(masked, capacity));
    }

    @Override
    public byte[] blank() {
        return PgArray.empty(type.elementOid());
    }
}
