package dev.coppice.control.masking;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.storage.boundary.Boundary;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What workflows need of masking: keys, clean points, and the loader of boundaries. */
public final class Masking {
    private final MaskingKeys keys;
    private final SecretBox secrets;
    private final Set<Protection> protections;

    public Masking(Catalog catalog, SecretBox secrets, SecureRandom random) {
        this(new MaskingKeys(catalog, secrets, random), secrets, EnumSet.allOf(Protection.class));
    }

    private Masking(MaskingKeys keys, SecretBox secrets, Set<Protection> protections) {
        this.keys = keys;
        this.secrets = secrets;
        this.protections = Set.copyOf(protections);
    }

    /** The same with some protections only: for a test that shows that the others are needed. */
    public Masking with(Set<Protection> some) {
        return new Masking(keys, secrets, some);
    }

    public MaskingKeys keys() {
        return keys;
    }

    /** Makes boundaries of the documents that clean points gave. */
    public Boundary.Loader loader() {
        return MaskBoundary.loader(secrets, protections);
    }

    /** What is to be rebuilt on a timeline that was made with a document. */
    public List<CleanPoint.Rebuild> rebuilds(byte[] bytes) {
        MaskDocument document = MaskDocument.parse(bytes);
        return document.catalogs().stream()
                .map(catalog -> DatabasePlan.of(DatabaseCatalog.parse(catalog), document.rules(), document.keyId()))
                .map(plan -> new CleanPoint.Rebuild(
                        plan.catalog().name(), plan.indexes(), plan.plan().views()))
                .toList();
    }

    /** Prepares a cluster that nobody else can reach. */
    public CleanPoint cleanPoint(CleanPoint.Databases databases) {
        return new CleanPoint(databases, protections);
    }
}
