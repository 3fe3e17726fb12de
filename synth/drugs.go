package synth

// drug is a medicine as RxNorm names it and how it is taken.
type drug struct {
	what   concept
	price  cents
	perDay int  // doses a day; 0 when needed
	once   bool // given by staff, once: no dosage stands in the order
}

func rx(code, display string, price cents, perDay int) drug {
	return drug{what: concept{rxnorm, code, display}, price: price, perDay: perDay}
}

func given(code, display string, price cents) drug {
	return drug{what: concept{rxnorm, code, display}, price: price, once: true}
}

var (
	acetaminophen  = rx("313782", "Acetaminophen 325 MG Oral Tablet", 612, 0)
	ibuprofen      = rx("310965", "Ibuprofen 200 MG Oral Tablet", 487, 0)
	naproxen       = rx("849574", "Naproxen sodium 220 MG Oral Tablet", 929, 2)
	oxycodone      = rx("1049221", "Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet", 4379, 0)
	augmentin      = rx("562251", "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", 2851, 3)
	amoxicillin    = rx("308182", "Amoxicillin 250 MG Oral Capsule", 1273, 3)
	penicillin     = rx("834061", "Penicillin V Potassium 250 MG Oral Tablet", 1619, 4)
	nitrofurantoin = rx("311995", "NITROFURANTOIN, MACROCRYSTALS 50 MG Oral Capsule", 3097, 4)
	coughSyrup     = rx("1043400", "Acetaminophen 21.7 MG/ML / Dextromethorphan Hydrobromide 1 MG/ML / doxylamine succinate 0.417 MG/ML Oral Solution", 1163, 0)
	hydrocortisone = rx("106258", "Hydrocortisone 10 MG/ML Topical Cream", 811, 2)

	thiazide      = rx("310798", "Hydrochlorothiazide 25 MG Oral Tablet", 1057, 1)
	simvastatin10 = rx("314231", "Simvastatin 10 MG Oral Tablet", 1507, 1)
	simvastatin20 = rx("312961", "Simvastatin 20 MG Oral Tablet", 1811, 1)
	metformin     = rx("860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", 1723, 1)
	clopidogrel   = rx("309362", "Clopidogrel 75 MG Oral Tablet", 2339, 1)
	nitroglycerin = rx("705129", "Nitroglycerin 0.4 MG/ACTUAT Mucosal Spray", 20717, 0)
	metoprolol    = rx("866412", "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet", 2111, 1)
	furosemide    = rx("313988", "Furosemide 40 MG Oral Tablet", 983, 1)
	warfarin      = rx("855332", "Warfarin Sodium 5 MG Oral Tablet", 1171, 1)
	digoxin       = rx("197604", "Digoxin 0.125 MG Oral Tablet", 2593, 1)
	albuterol     = rx("745679", "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", 5437, 0)
	fluticasone   = rx("895994", "120 ACTUAT Fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler", 18919, 2)
	salmeterol    = rx("896209", "60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler", 29803, 2)
	alendronate   = rx("904419", "Alendronic acid 10 MG Oral Tablet", 1931, 1)
	carbamazepine = rx("308971", "Carbamazepine[Tegretol]", 4129, 2)
	galantamine   = rx("310436", "Galantamine 4 MG Oral Tablet", 8831, 2)
	loratadine    = rx("311372", "Loratadine 10 MG Oral Tablet", 739, 1)
	epinephrine   = rx("1870230", "NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector", 31249, 0)
	sertraline    = rx("312941", "sertraline 50 MG Oral Tablet", 1367, 1)
	levothyroxine = rx("966222", "Levothyroxine Sodium 0.075 MG Oral Tablet", 1283, 1)
	allopurinol   = rx("197319", "Allopurinol 100 MG Oral Tablet", 1117, 1)
	pill          = rx("751905", "Trinessa 28 Day Pack", 3911, 1)

	cisplatin   = given("1736854", "Cisplatin 50 MG Injection", 7121)
	paclitaxel  = given("583214", "PACLitaxel 100 MG Injection", 15427)
	oxaliplatin = given("1736776", "10 ML oxaliplatin 5 MG/ML Injection", 21341)
	alteplase   = given("1804799", "Alteplase 100 MG Injection", 793113)
	adrenaline  = given("1660014", "1 ML Epinephrine 1 MG/ML Injection", 1979)
	morphine    = given("1732136", "1 ML Morphine Sulfate 5 MG/ML Injection", 1303)
	heparin     = given("314659", "heparin sodium, porcine", 2213)
	saline      = given("313002", "Sodium Chloride 9 MG/ML Injectable Solution", 331)
	cefuroxime  = given("309097", "Cefuroxime 250 MG Oral Tablet", 2741)
)
