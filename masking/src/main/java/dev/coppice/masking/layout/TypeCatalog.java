package dev.coppice.masking.layout;

import dev.coppice.masking.layout.DataType.Array;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Label;
import dev.coppice.masking.layout.DataType.Range;
import dev.coppice.masking.layout.DataType.Unsupported;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes {@link DataType}s of the rows of pg_type, pg_enum and pg_range. */
public final class TypeCatalog {
    private static final int MAX_NESTING = 64;

    private final Map<Integer, TypeRow> types = new HashMap<>();
    private final Map<Integer, List<Label>> labels;
    private final Map<Integer, Integer> rangeSubtypes;

    /**
     * A row of pg_type.
     *
     * @param kind typtype: b(ase), c(omposite), d(omain), e(num), p(seudo), r(ange), m(ultirange)
     * @param length typlen
     * @param alignment typalign: c, s, i or d
     * @param element typelem if this is a true array (typsubscript = array_subscript_handler), else 0
     * @param baseType typbasetype of a domain, else 0
     */
    public record TypeRow(int oid, String name, char kind, int length, char alignment, int element, int baseType) {}

    /**
     * @param labels of enums, in order, by the enum's type OID
     * @param rangeSubtypes rngsubtype by rngtypid
     */
    public TypeCatalog(List<TypeRow> rows, Map<Integer, List<Label>> labels, Map<Integer, Integer> rangeSubtypes) {
        rows.forEach(row -> types.put(row.oid(), row));
        this.labels = Map.copyOf(labels);
        this.rangeSubtypes = Map.copyOf(rangeSubtypes);
    }

    /** The type with an OID; {@link Unsupported} with a reason if its values cannot be read. */
    public DataType type(int oid) {
        return type(oid, 0);
    }

    private DataType type(int oid, int depth) {
        ScalarType builtIn = ScalarType.of(oid);
        if (builtIn != null) {
            return DataType.of(builtIn);
        }
        TypeRow row = types.get(oid);
        if (row == null) {
            return new Unsupported("type " + oid, "the catalog has no such type");
        }
        if (depth > MAX_NESTING) {
            return new Unsupported(row.name(), "its definition is nested too deeply");
        }
        return switch (row.kind()) {
            case 'd' -> type(row.baseType(), depth + 1);
            case 'e' -> new Enumeration(row.name(), labels.getOrDefault(oid, List.of()));
            case 'r' -> range(row, depth);
            case 'b' -> base(row, depth);
            case 'm' -> new Unsupported(row.name(), "multiranges cannot be masked");
            case 'c' -> new Unsupported(row.name(), "composite values cannot be masked");
            default -> new Unsupported(row.name(), "it is no type of a stored value");
        };
    }

    private DataType base(TypeRow row, int depth) {
        if (row.element() != 0 && row.length() == -1) {
            TypeRow element = types.get(row.element());
            DataType elementType = type(row.element(), depth + 1);
            return element == null || elementType instanceof Unsupported
                    ? new Unsupported(row.name(), "its elements are of a type that cannot be masked")
                    : new Array(elementType, element.oid(), element.length(), alignment(element.alignment()));
        }
        if (row.name().equals("citext") && row.length() == -1) {
            return DataType.of(ScalarType.CITEXT);
        }
        if (row.name().equals("hstore") && row.length() == -1) {
            return DataType.of(ScalarType.HSTORE);
        }
        return new Unsupported(row.name(), "its storage format is not known");
    }

    private DataType range(TypeRow row, int depth) {
        DataType subtype = type(rangeSubtypes.getOrDefault(row.oid(), 0), depth + 1);
        return new Range(row.name(), row.oid(), subtype);
    }

    /** Bytes of a pg_type.typalign. */
    public static int alignment(char code) {
        return switch (code) {
            case 'c' -> 1;
            case 's' -> 2;
            case 'i' -> 4;
            case 'd' -> 8;
            default -> throw new IllegalArgumentException("no alignment is called '" + code + "'");
        };
    }
}
