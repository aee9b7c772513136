/* What the file of inventory holds. A new step is added at the end; those that are there never change. */
#ifndef WEFT_SHOP_INVENTORY_SCHEMA_H
#define WEFT_SHOP_INVENTORY_SCHEMA_H

static const char *const INVENTORY_MIGRATIONS[] = {
    "CREATE TABLE items("
    " sku TEXT PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " cents INTEGER NOT NULL CHECK (cents > 0),"
    " delivered INTEGER NOT NULL,"
    " stock INTEGER NOT NULL CHECK (stock >= 0),"
    " reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),"
    " CHECK (stock + reserved = delivered)) STRICT;"
    "CREATE TABLE reservations("
    " id TEXT PRIMARY KEY,"
    " state TEXT NOT NULL CHECK (state IN ('held', 'refused')),"
    " reason TEXT NOT NULL,"
    " asked TEXT NOT NULL) STRICT;" /* what was asked for, as it is compared when it is asked for again */
    "CREATE TABLE reservation_lines("
    " reservation TEXT NOT NULL REFERENCES reservations(id),"
    " sku TEXT NOT NULL REFERENCES items(sku),"
    " quantity INTEGER NOT NULL CHECK (quantity > 0),"
    " PRIMARY KEY (reservation, sku)) STRICT, WITHOUT ROWID;",

    "INSERT INTO items(sku, name, cents, delivered, stock) VALUES"
    " ('loom', 'Table loom', 18900, 600, 600),"
    " ('shuttle', 'Boat shuttle', 2450, 2000, 2000),"
    " ('bobbin', 'Bobbins, ten', 890, 3000, 3000),"
    " ('reed', 'Reed, 40 cm', 3900, 1200, 1200),"
    " ('heddle', 'Heddles, hundred', 1250, 1500, 1500),"
    " ('warp-linen', 'Linen warp, 500 g', 2890, 1500, 1500),"
    " ('weft-wool', 'Wool weft, 200 g', 1690, 2500, 2500),"
    " ('cotton', 'Cotton yarn, 250 g', 1190, 2500, 2500),"
    " ('comb', 'Weaving comb', 1590, 1000, 1000),"
    " ('needle', 'Tapestry needles', 490, 2000, 2000),"
    " ('winder', 'Bobbin winder', 5400, 500, 500),"
    " ('spindle', 'Drop spindle', 1990, 1000, 1000);",
};

#endif
