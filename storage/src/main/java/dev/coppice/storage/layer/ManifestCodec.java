package dev.coppice.storage.layer;

/** A manifest's text form: JSON with a checksum around it. */
@SuppressWarnings("DoNotCallSuggester")
public final class ManifestCodec {
    private ManifestCodec() {}

    /** The bytes to store. */
    public static byte[] encode(Manifest manifest) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads what {@link #encode} wrote, strictly.
     *
     * @param source names the manifest in errors
     * @throws dev.coppice.storage.ChecksumMismatchException when the bytes are not what was written
     * @throws dev.coppice.storage.StorageException when they are of an unknown format
     */
    public static Manifest decode(byte[] content, String source) {
        throw new UnsupportedOperationException();
    }
}
