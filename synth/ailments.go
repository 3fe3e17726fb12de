package synth

// ailment is a passing illness or an injury and what one visit for it brings.
type ailment struct {
	what     concept
	weight   int // how often, against the others
	from, to int // ages
	visit    *visitKind
	days     int // until it is over, about
	drugs    []*drug
	acts     []*act
	plan     *plan
	image    *image
	fever    bool
	dose     *drug // given by staff on the spot
}

// image is a study that shows a part of the body.
type image struct {
	act      *act
	modality concept
	site     concept
	sop      string // class of the DICOM object
	title    string
	frames   int
}

const (
	dicom = "http://dicom.nema.org/resources/ontology/DCM"
	sopDX = "1.2.840.10008.5.1.4.1.1.1.1"
	sopUS = "1.2.840.10008.5.1.4.1.1.6.1"
	sopCT = "1.2.840.10008.5.1.4.1.1.2"
)

var (
	xray       = concept{dicom, "DX", "Digital Radiography"}
	ultrasound = concept{dicom, "US", "Ultrasound"}
	tomography = concept{dicom, "CT", "Computed Tomography"}

	wristImage    = image{does("60027007", "X-ray of wrist", 31827, 30), xray, sct("8205005", "Wrist"), sopDX, "Image of wrist", 1}
	ankleImage    = image{does("19490002", "Ankle X-ray", 29717, 30), xray, sct("344001", "Ankle"), sopDX, "Image of ankle", 1}
	armImage      = image{does("1225002", "Upper arm X-ray", 30211, 30), xray, sct("40983000", "Arm"), sopDX, "Image of arm", 1}
	clavicleImage = image{does("168594001", "Clavicle X-ray", 30893, 30), xray, sct("51299004", "Clavicle"), sopDX, "Image of clavicle", 1}
	kneeImage     = image{does("74016001", "Knee X-ray", 29983, 30), xray, sct("72696002", "Knee"), sopDX, "Image of knee", 1}
	chestImage    = image{does("399208008", "Plain chest X-ray", 24137, 20), xray, sct("51185008", "Thoracic structure"), sopDX, "Plain chest X-ray", 2}
	heartImage    = image{echo, ultrasound, sct("80891009", "Heart structure"), sopUS, "Image of heart", 3}
	headImage     = image{does("303653007", "Computed tomography of head", 91841, 30), tomography, sct("69536005", "Head structure"), sopCT, "Image of head", 4}

	throatCulture = does("117015009", "Throat culture (procedure)", 23873, 10)
	sputum        = does("269911007", "Sputum examination (procedure)", 19477, 10)
	suture        = does("288086009", "Suture open wound", 41539, 30)
	immobilize    = does("274474001", "Bone immobilization", 52861, 30)
	appendectomy  = does("80146002", "Appendectomy", 1231417, 90)
	wisdomTooth   = does("65546002", "Extraction of wisdom tooth", 48149, 40)
	urineCulture  = does("117010004", "Urine culture", 21169, 10)
	allergyTest   = does("395142003", "Allergy screening test", 33941, 30)
)

var ailments = []ailment{
	{what: sct("444814009", "Viral sinusitis (disorder)"), weight: 150, to: 120, visit: &symptomVisit, days: 14},
	{what: sct("195662009", "Acute viral pharyngitis (disorder)"), weight: 90, to: 120, visit: &symptomVisit, days: 10, fever: true},
	{what: sct("10509002", "Acute bronchitis (disorder)"), weight: 66, to: 120, visit: &symptomVisit, days: 18, drugs: []*drug{&acetaminophen}, acts: []*act{lungTest}, plan: &respiratoryCare},
	{what: sct("43878008", "Streptococcal sore throat (disorder)"), weight: 20, from: 2, to: 30, visit: &symptomVisit, days: 12, drugs: []*drug{&penicillin}, acts: []*act{throatCulture}, fever: true},
	{what: sct("65363002", "Otitis media"), weight: 25, to: 8, visit: &symptomVisit, days: 30, drugs: []*drug{&amoxicillin}},
	{what: sct("75498004", "Acute bacterial sinusitis (disorder)"), weight: 12, from: 3, to: 120, visit: &symptomVisit, days: 21, drugs: []*drug{&augmentin}},
	{what: sct("301011002", "Escherichia coli urinary tract infection"), weight: 14, from: 12, to: 120, visit: &symptomVisit, days: 9, drugs: []*drug{&nitrofurantoin}, acts: []*act{urineCulture}, plan: &urinaryCare},
	{what: sct("233604007", "Pneumonia"), weight: 5, to: 120, visit: &emergency, days: 28, drugs: []*drug{&augmentin}, acts: []*act{sputum}, image: &chestImage, plan: &respiratoryCare, fever: true, dose: &saline},
	{what: sct("40275004", "Contact dermatitis"), weight: 8, to: 60, visit: &problemVisit, days: 20, drugs: []*drug{&hydrocortisone}, plan: &skinCare},
	{what: sct("44465007", "Sprain of ankle"), weight: 16, from: 5, to: 75, visit: &emergency, days: 21, drugs: []*drug{&ibuprofen}, plan: &jointCare},
	{what: sct("70704007", "Sprain of wrist"), weight: 7, from: 5, to: 75, visit: &emergency, days: 21, drugs: []*drug{&acetaminophen}, plan: &jointCare},
	{what: sct("39848009", "Whiplash injury to neck"), weight: 7, from: 16, to: 80, visit: &emergency, days: 28, drugs: []*drug{&acetaminophen}, plan: &jointCare},
	{what: sct("65966004", "Fracture of forearm"), weight: 6, from: 4, to: 90, visit: &emergency, days: 60, drugs: []*drug{&ibuprofen}, acts: []*act{immobilize}, plan: &fractureCare, image: &armImage, dose: &morphine},
	{what: sct("263102004", "Fracture subluxation of wrist"), weight: 5, from: 4, to: 90, visit: &emergency, days: 60, drugs: []*drug{&acetaminophen}, acts: []*act{immobilize}, plan: &fractureCare, image: &wristImage},
	{what: sct("58150001", "Fracture of clavicle"), weight: 5, from: 3, to: 90, visit: &emergency, days: 60, drugs: []*drug{&ibuprofen}, acts: []*act{immobilize}, plan: &fractureCare, image: &clavicleImage},
	{what: sct("16114001", "Fracture of ankle"), weight: 4, from: 6, to: 90, visit: &emergency, days: 75, drugs: []*drug{&oxycodone}, acts: []*act{immobilize}, plan: &fractureCare, image: &ankleImage, dose: &morphine},
	{what: sct("444448004", "Injury of medial collateral ligament of knee"), weight: 3, from: 12, to: 60, visit: &emergency, days: 90, drugs: []*drug{&naproxen}, image: &kneeImage, plan: &jointCare},
	{what: sct("283385000", "Laceration of thigh"), weight: 8, from: 2, to: 90, visit: &urgent, days: 21, drugs: []*drug{&acetaminophen}, acts: []*act{suture}, plan: &woundCare},
	{what: sct("284549007", "Laceration of hand"), weight: 8, from: 2, to: 90, visit: &urgent, days: 21, acts: []*act{suture}, plan: &woundCare},
	{what: sct("370247008", "Facial laceration"), weight: 5, from: 1, to: 90, visit: &urgent, days: 18, acts: []*act{suture}, plan: &woundCare},
	{what: sct("403190006", "First degree burn"), weight: 6, from: 1, to: 90, visit: &emergency, days: 20, drugs: []*drug{&ibuprofen}, plan: &burnCare},
	{what: sct("62106007", "Concussion with no loss of consciousness"), weight: 9, from: 5, to: 80, visit: &emergency, days: 40, plan: &headCare, image: &headImage},
	{what: sct("241929008", "Acute allergic reaction"), weight: 4, from: 1, to: 60, visit: &emergency, days: 2, drugs: []*drug{&epinephrine}, acts: []*act{allergyTest}, dose: &adrenaline},
	{what: sct("74400008", "Appendicitis"), weight: 5, from: 8, to: 60, visit: &surgery, days: 10, drugs: []*drug{&oxycodone}, acts: []*act{appendectomy}, plan: &surgeryCare, dose: &cefuroxime},
	{what: sct("196416002", "Impacted molars"), weight: 7, from: 16, to: 28, visit: &problemVisit, days: 15, drugs: []*drug{&oxycodone}, acts: []*act{wisdomTooth}},
	{what: sct("68496003", "Polyp of colon"), weight: 26, from: 45, to: 85, visit: &outpatient, days: 30, acts: []*act{colonoscopy, polypectomy}},
	{what: sct("36971009", "Sinusitis (disorder)"), weight: 10, from: 3, to: 120, visit: &symptomVisit, days: 30, drugs: []*drug{&coughSyrup}},
}
