package dev.coppice.masking.layout;

import java.util.List;

/** The type of a column, domains resolved to what they are stored as. */
public sealed interface DataType {
    /** For messages, as in SQL. */
    String name();

    /** A type that is read as one value. */
    record Scalar(ScalarType type) implements DataType {
        @Override
        public String name() {
            return type.typeName();
        }
    }

    /** An enum, whose values are the OIDs of its labels. */
    record Enumeration(String name, List<Label> labels) implements DataType {}

    /** One value of an enum. */
    record Label(int oid, String text) {}

    /** An array, of any number of dimensions. */
    record Array(DataType element, int elementOid, int elementLength, int elementAlignment) implements DataType {
        @Override
        public String name() {
            return element.name() + "[]";
        }
    }

    /** A range; its subtype has a fixed length or is numeric. */
    record Range(String name, int rangeOid, DataType subtype) implements DataType {}

    /** A type whose values cannot be read here. */
    record Unsupported(String name, String reason) implements DataType {}

    /** A built-in type. */
    static DataType of(ScalarType type) {
        return new Scalar(type);
    }

    /** An array of a built-in type. */
    static DataType arrayOf(ScalarType type) {
        return new Array(of(type), type.oid(), type.length(), type.alignment());
    }
}
