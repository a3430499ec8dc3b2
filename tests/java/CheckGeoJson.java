import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.locationtech.jts.geom.Coordinate;
import org.locationtech.jts.geom.Geometry;
import org.locationtech.jts.geom.GeometryFactory;
import org.locationtech.jts.geom.Polygon;
import org.locationtech.jts.geom.PrecisionModel;
import org.locationtech.jts.operation.valid.IsValidOp;
import org.locationtech.jts.precision.GeometryPrecisionReducer;

/** Reads GeoJSON the way QuPath does: whole tree first, ids, classification, measurements, then JTS geometry at
 * 0.01 px. Exits with 1 at the first feature that QuPath would refuse. */
public final class CheckGeoJson {
    private static final PrecisionModel HUNDREDTHS = new PrecisionModel(100);
    private static final GeometryFactory FACTORY = new GeometryFactory();

    public static void main(String[] args) throws Exception {
        for (String path : args) {
            InputStream in = new FileInputStream(path);
            if (path.endsWith(".gz")) in = new GZIPInputStream(in);
            JsonObject root;
            try (Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
                root = JsonParser.parseReader(reader).getAsJsonObject();
            }
            require(root.get("type").getAsString().equals("FeatureCollection"), "not a FeatureCollection");
            int count = 0;
            for (JsonElement feature : root.getAsJsonArray("features")) {
                check(feature.getAsJsonObject(), count++);
            }
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            long heap = (runtime.totalMemory() - runtime.freeMemory()) >> 20;
            System.out.println(path + ": " + count + " features valid, " + heap + " MiB of heap hold the tree of "
                    + root.getAsJsonArray("features").size());
        }
    }

    private static void check(JsonObject feature, int index) {
        String where = "feature " + index + ": ";
        UUID.fromString(feature.get("id").getAsString());
        JsonObject properties = feature.getAsJsonObject("properties");
        require(!properties.has("type"), where + "`type` is an alias of objectType");
        require(properties.get("objectType").getAsString().equals("detection"), where + "not a detection");
        JsonObject classification = properties.getAsJsonObject("classification");
        require(classification.has("name") && classification.getAsJsonArray("color").size() == 3,
                where + "classification needs name and color");
        JsonObject measurements = properties.getAsJsonObject("measurements");
        require(measurements.size() <= 10, where + "more than ten measurements");
        for (String name : measurements.keySet()) {
            require(Double.isFinite(measurements.get(name).getAsDouble()), where + name + " is not a number");
        }
        JsonArray ring = feature.getAsJsonObject("geometry").getAsJsonArray("coordinates").get(0).getAsJsonArray();
        Coordinate[] points = new Coordinate[ring.size()];
        for (int i = 0; i < points.length; i++) {
            JsonArray xy = ring.get(i).getAsJsonArray();
            points[i] = new Coordinate(xy.get(0).getAsDouble(), xy.get(1).getAsDouble());
        }
        Polygon polygon = FACTORY.createPolygon(points);
        IsValidOp valid = new IsValidOp(polygon);
        require(valid.isValid(), where + valid.getValidationError());
        Geometry reduced = GeometryPrecisionReducer.reduce(polygon, HUNDREDTHS);
        require(reduced instanceof Polygon && reduced.getNumPoints() == polygon.getNumPoints() && reduced.getArea() > 0,
                where + "changes at a precision of 0.01 px");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            System.out.println(message);
            System.exit(1);
        }
    }
}
